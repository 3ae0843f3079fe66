//! From handshake to close: timers, what the connections tell, and which of them is the session's.

use std::time::Instant;

use bytes::Bytes;
use quinn_proto::{ConnectionHandle, Dir, Event as QuicEvent, StreamEvent, VarInt};

use super::{Link, Session};
use crate::close::{CloseKind, CloseReason};
use crate::events::{Event, StreamNumber};
use crate::options::Role;

/// Room to write beyond what is in flight.
const WRITE_AHEAD: u64 = 1024 * 1024;

impl Session {
    /// When [`Session::expire`] must be called next, if nothing happens before.
    pub fn next_timeout(&mut self) -> Option<Instant> {
        let attempts = self
            .attempts
            .iter_mut()
            .filter_map(|link| link.connection.poll_timeout())
            .min();
        let own = self.link.as_mut().and_then(|link| link.connection.poll_timeout());
        [attempts, own, self.held_until].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Instant) {
        self.write_queue.begin_turn();
        for link in self.link.iter_mut().chain(self.attempts.iter_mut()) {
            if link.connection.poll_timeout().is_some_and(|at| at <= now) {
                link.connection.handle_timeout(now);
            }
        }
    }

    /// Takes what the connections have to tell since packets came or time passed.
    pub fn poll(&mut self) {
        let handles: Vec<ConnectionHandle> = self.attempts.iter_mut().map(|link| link.handle).collect();
        for handle in handles {
            self.poll_attempt(handle);
        }
        self.poll_link();
    }

    /// A stream is to be told that it may write.
    pub fn has_writable(&self) -> bool {
        self.closed.is_none() && self.write_queue.is_due()
    }

    /// Closes the connection with an application code (RFC 9000, section 20.2). What is written and not sent is lost.
    pub fn close(&mut self, now: Instant, code: u64, reason: &[u8]) {
        if self.closed.is_some() {
            return;
        }
        let error_code = VarInt::from_u64(code).unwrap_or(VarInt::MAX);
        for link in self.link.iter_mut().chain(self.attempts.iter_mut()) {
            link.connection
                .close(now, error_code, Bytes::copy_from_slice(reason));
        }
        self.finish(CloseReason::local(code, reason));
    }

    fn finish(&mut self, reason: CloseReason) {
        if self.closed.is_none() {
            self.closed = Some(reason);
            self.readable.clear();
            self.events.push(Event::Closed);
        }
    }

    fn poll_attempt(&mut self, handle: ConnectionHandle) {
        let Some(link) = self.attempts.find(handle) else {
            return;
        };
        settle_endpoint(&mut self.endpoint, link);
        while let Some(event) = link.connection.poll() {
            match event {
                QuicEvent::Connected => {
                    self.link = self.attempts.take(handle);
                    self.attempts.clear(&mut self.endpoint);
                    self.events.push(Event::Connected);
                    return;
                }
                QuicEvent::ConnectionLost { reason } => {
                    let reason = CloseReason::from(reason);
                    if self.role == Role::Client || reason.kind == CloseKind::WrongPin {
                        self.finish(reason);
                    } else {
                        // It may have been forged; if not, the peer tries again.
                        self.failed_attempt = Some(reason);
                        link.lost = true;
                    }
                    return;
                }
                _ => {}
            }
        }
    }

    fn poll_link(&mut self) {
        let Some(link) = &mut self.link else { return };
        settle_endpoint(&mut self.endpoint, link);
        if self.closed.is_some() {
            return;
        }
        // Unacknowledged bytes need as much as is in flight; more would only wait here.
        let in_flight = link.connection.congestion_state().metrics().congestion_window;
        let wanted = in_flight.saturating_add(WRITE_AHEAD);
        link.connection.set_send_window(wanted.min(self.send_buffer));
        while let Some(event) = self.link.as_mut().and_then(|link| link.connection.poll()) {
            match event {
                QuicEvent::Connected | QuicEvent::HandshakeDataReady => {}
                QuicEvent::ConnectionLost { reason } => self.finish(reason.into()),
                QuicEvent::Stream(event) => self.stream_event(event),
                QuicEvent::DatagramReceived => self.events.push(Event::Datagrams),
                QuicEvent::DatagramsUnblocked => self.events.push(Event::DatagramRoom),
            }
        }
    }

    fn stream_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Opened { dir: Dir::Bi } => self.accept_streams(),
            StreamEvent::Readable { id } => {
                if let Some(code) = self.received_reset(id) {
                    self.tell(id.into(), |stream| Event::Reset(stream, saturate(code)));
                } else if self.readable.insert(id) {
                    self.tell(id.into(), Event::Readable);
                }
            }
            StreamEvent::Writable { id } => self.write_queue.has_room(id),
            StreamEvent::Finished { id } => self.tell(id.into(), Event::Finished),
            StreamEvent::Stopped { id, error_code } => {
                self.tell(id.into(), |stream| Event::Stopped(stream, saturate(error_code)));
            }
            StreamEvent::Available { dir: Dir::Bi } => self.events.push(Event::Available),
            // There are none: both ends grant no unidirectional streams.
            StreamEvent::Opened { dir: Dir::Uni } | StreamEvent::Available { dir: Dir::Uni } => {}
        }
    }

    fn accept_streams(&mut self) {
        while let Some(id) = self
            .open_connection()
            .and_then(|connection| connection.streams().accept(Dir::Bi))
        {
            self.accepted = id.index().saturating_add(1);
            self.readable.insert(id);
            self.tell(id.into(), Event::Opened);
        }
    }

    /// Tells of a stream, by a number that fits.
    pub(super) fn tell(&mut self, id: u64, event: impl FnOnce(StreamNumber) -> Event) {
        match StreamNumber::try_from(id) {
            Ok(stream) => match event(stream) {
                event @ (Event::Readable(_) | Event::Stopped(..) | Event::Reset(..))
                    if self.diverted.contains(&stream) =>
                {
                    self.diverted_news.push_back(event);
                }
                event => self.events.push(event),
            },
            Err(_) => self.finish(CloseReason::engine("stream numbers are used up")),
        }
    }
}

/// Connection ids that the connection asks for or gives back.
fn settle_endpoint(endpoint: &mut quinn_proto::Endpoint, link: &mut Link) {
    while let Some(event) = link.connection.poll_endpoint_events() {
        if let Some(answer) = endpoint.handle_event(link.handle, event) {
            link.connection.handle_event(answer);
        }
    }
}

/// Error codes have up to 62 bits; those of this tunnel are small.
pub(super) fn saturate(code: VarInt) -> u32 {
    u32::try_from(code.into_inner()).unwrap_or(u32::MAX)
}
