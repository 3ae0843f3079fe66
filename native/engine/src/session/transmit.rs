//! What goes out, and when.

use std::time::Instant;

use quinn_proto::Transmit;

use super::Session;
use crate::options::MIN_PACKET;

impl Session {
    /// The next batch for the peer: `buffer` is filled with datagrams of one size, at most so many. None when there is
    /// nothing to send, or not yet: [`Session::next_timeout`] says when to ask again.
    pub fn transmit(&mut self, now: Instant, max_datagrams: usize, buffer: &mut Vec<u8>) -> Option<Transmit> {
        buffer.clear();
        if let Some((transmit, bytes)) = self.refusal.take() {
            buffer.extend(bytes);
            return Some(transmit);
        }
        if let Some(transmit) = self.transmit_paced(now, max_datagrams, buffer) {
            return Some(transmit);
        }
        for link in self.attempts.iter_mut() {
            buffer.clear();
            if let Some(transmit) = link.connection.poll_transmit(now, max_datagrams.max(1), buffer) {
                return Some(transmit);
            }
        }
        // They have said why.
        self.attempts.remove_lost(&mut self.endpoint);
        None
    }

    /// UDP payload of the packets that are sent now, in bytes.
    pub fn packet_size(&mut self) -> usize {
        let link = self.link.as_mut().or_else(|| self.attempts.iter_mut().next());
        link.map_or(MIN_PACKET, |link| link.connection.current_mtu())
            .into()
    }

    /// The session's own connection sends at its controller's pace.
    fn transmit_paced(
        &mut self,
        now: Instant,
        max_datagrams: usize,
        buffer: &mut Vec<u8>,
    ) -> Option<Transmit> {
        self.held_until = None;
        let connection = &mut self.link.as_mut()?.connection;
        let metrics = connection.congestion_state().metrics();
        let allowed = match self.pacer.poll(now, &metrics, connection.current_mtu()) {
            Ok(allowed) => allowed,
            // Its last word waits for nobody.
            Err(_) if self.closed.is_some() => 1,
            Err(until) => {
                self.held_until = Some(until);
                return None;
            }
        };
        let transmit = connection.poll_transmit(now, allowed.min(max_datagrams).max(1), buffer)?;
        self.pacer.on_sent(now, transmit.size);
        Some(transmit)
    }
}
