//! QUIC without a socket: packets in, packets out, streams and events in between.
//!
//! One connection at most is the session's. Before it there may be several handshakes on the server's side: an
//! Initial proves nothing (its keys follow from what it says itself, RFC 9001, section 5.2), so that a forged one
//! must not be what the session waits for. The first handshake that ends with the pinned certificate wins.

mod attempts;
mod datagrams;
mod lifetime;
mod streams;
mod transmit;
mod write_queue;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use congestion::Pacer;
use quinn_proto::{Connection, ConnectionHandle, DatagramEvent, EcnCodepoint, Endpoint, StreamId, Transmit};
use rustc_hash::FxHashSet;

pub use datagrams::DatagramSent;
pub use streams::{Read, Write};

use crate::close::CloseReason;
use crate::error::{Code, Error, with};
use crate::events::{Event, Events, StreamNumber};
use crate::options::{Options, Role};
use crate::tls::SERVER_NAME;
use crate::transport;
use attempts::Attempts;
use write_queue::WriteQueue;

/// A connection and its number at the endpoint.
struct Link {
    handle: ConnectionHandle,
    connection: Connection,
    /// It has failed, and stays for as long as it has its reason to send.
    lost: bool,
}

impl Link {
    fn new((handle, connection): (ConnectionHandle, Connection)) -> Self {
        Self {
            handle,
            connection,
            lost: false,
        }
    }
}

/// One end of one QUIC session.
pub struct Session {
    endpoint: Endpoint,
    peer: SocketAddr,
    role: Role,
    send_buffer: u64,
    connection_window: u64,
    /// What was read since the peer was told of the connection's room.
    untold_room: u64,
    /// Handshakes that are not done.
    attempts: Attempts,
    /// The session's connection, once its handshake is done.
    link: Option<Link>,
    events: Events,
    /// Streams whose readability was told and that have not been read to their end since.
    readable: FxHashSet<StreamId>,
    write_queue: WriteQueue,
    /// Streams whose readability and breaks are not told with the other events, and what there is to tell of them.
    diverted: FxHashSet<StreamNumber>,
    diverted_news: VecDeque<Event>,
    /// Streams of the peer's that were told.
    accepted: u64,
    closed: Option<CloseReason>,
    /// Why the last handshake came to nothing, while others may still come.
    failed_attempt: Option<CloseReason>,
    /// What a handshake that failed at its first packet is told.
    refusal: Option<(Transmit, Vec<u8>)>,
    pacer: Pacer,
    /// When the pacer lets more go.
    held_until: Option<Instant>,
    /// Packets with the mark of congestion (CE, RFC 3168).
    congestion_marks: u64,
    /// Where endpoint answers go that are never sent.
    scratch: Vec<u8>,
}

impl Session {
    /// Begins a session; the client has its first packet ready then. `may_fragment` says that the system may cut
    /// packets, and path MTU discovery would learn nothing.
    pub fn new(options: &Options, may_fragment: bool, now: Instant) -> Result<Self, Error> {
        options.validate()?;
        let server = match options.role {
            Role::Server => Some(Arc::new(transport::server(options)?)),
            Role::Client => None,
        };
        let config = Arc::new(transport::endpoint(options)?);
        let mut endpoint = Endpoint::new(config, server, !may_fragment, None);
        let mut attempts = Attempts::default();
        if options.role == Role::Client {
            let begun = endpoint
                .connect(now, transport::client(options)?, options.peer, SERVER_NAME)
                .map_err(with(Code::Engine, "connect"))?;
            attempts.add(Link::new(begun), &mut endpoint);
        }
        Ok(Self {
            endpoint,
            peer: options.peer,
            role: options.role,
            send_buffer: options.send_buffer,
            connection_window: options.connection_window,
            untold_room: 0,
            attempts,
            link: None,
            events: Events::default(),
            readable: FxHashSet::default(),
            write_queue: WriteQueue::default(),
            diverted: FxHashSet::default(),
            diverted_news: VecDeque::new(),
            accepted: 0,
            closed: None,
            failed_attempt: None,
            refusal: None,
            pacer: Pacer::new(),
            held_until: None,
            congestion_marks: 0,
            scratch: Vec::new(),
        })
    }

    /// Takes one UDP datagram of the peer's. What is not QUIC, not a packet of this session, or forged, is lost.
    pub fn receive(&mut self, now: Instant, ecn: Option<EcnCodepoint>, datagram: BytesMut) {
        if self.closed.is_some() || datagram.is_empty() {
            return;
        }
        if ecn == Some(EcnCodepoint::Ce) {
            self.congestion_marks = self.congestion_marks.saturating_add(1);
        }
        self.scratch.clear();
        match self
            .endpoint
            .handle(now, self.peer, None, ecn, datagram, &mut self.scratch)
        {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some(link) = self.link_of(handle) {
                    link.connection.handle_event(event);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => {
                if self.link.is_some() {
                    self.endpoint.ignore(incoming);
                    return;
                }
                match self.endpoint.accept(incoming, now, &mut self.scratch, None) {
                    Ok(begun) => self.attempts.add(Link::new(begun), &mut self.endpoint),
                    Err(error) => {
                        self.failed_attempt = Some(error.cause.into());
                        // Why, for the peer; one that nobody has taken yet is replaced.
                        self.refusal = error
                            .response
                            .map(|transmit| (transmit, std::mem::take(&mut self.scratch)));
                    }
                }
            }
            // Version negotiation and stateless resets: no part of this tunnel.
            Some(DatagramEvent::Response(_)) | None => {}
        }
    }

    /// That there is something to read of a stream, or that the peer gives it up, is told by [`Session::next_diverted`] from
    /// here on and no longer with the other events.
    pub fn divert(&mut self, stream: StreamNumber) {
        self.diverted.insert(stream);
    }

    /// It is told by events again.
    pub fn undivert(&mut self, stream: StreamNumber) {
        self.diverted.remove(&stream);
    }

    /// What happened to a diverted stream: it is readable, stopped or reset.
    pub fn next_diverted(&mut self) -> Option<Event> {
        self.diverted_news.pop_front()
    }

    /// Something did.
    pub fn has_diverted(&self) -> bool {
        !self.diverted_news.is_empty()
    }

    /// Takes the oldest event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// What happened and was not taken yet.
    pub fn events(&mut self) -> &mut Events {
        &mut self.events
    }

    /// Why the session is over; none while it is not.
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }

    /// Why the last handshake came to nothing, where the session waits for another.
    pub fn failed_attempt(&self) -> Option<&CloseReason> {
        self.failed_attempt.as_ref()
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Handshakes under way.
    pub fn attempts(&self) -> usize {
        self.attempts.len()
    }

    /// Asks the peer for a sign of life (PING).
    pub fn ping(&mut self) {
        if let Some(connection) = self.open_connection() {
            connection.ping();
        }
    }

    /// The packets take another way: what was learnt of the one before (its round trip, its size, how much it carries)
    /// is forgotten.
    pub fn path_changed(&mut self, now: Instant) {
        if let Some(link) = &mut self.link {
            link.connection.path_changed(now);
            // The peer learns of the way by what comes over it.
            link.connection.ping();
        }
    }

    /// The session's connection, also when it is over.
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.link.as_ref().map(|link| &link.connection)
    }

    pub(crate) fn congestion_marks(&self) -> u64 {
        self.congestion_marks
    }

    fn link_of(&mut self, handle: ConnectionHandle) -> Option<&mut Link> {
        match &mut self.link {
            Some(link) if link.handle == handle => self.link.as_mut(),
            _ => self.attempts.find(handle),
        }
    }

    /// The connection, while streams may be used.
    fn open_connection(&mut self) -> Option<&mut Connection> {
        if self.closed.is_some() {
            None
        } else {
            self.link.as_mut().map(|link| &mut link.connection)
        }
    }
}

type Links = VecDeque<Link>;
