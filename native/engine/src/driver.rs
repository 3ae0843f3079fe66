//! A socket and the session on it, a turn at a time: receive, tell, and, when JavaScript has done its part, send.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use quinn_proto::Transmit;
use quinn_udp::RecvMeta;

use crate::ecn;
use crate::error::{Code, Error, refused, with};
use crate::events::{Event, Events, StreamNumber};
use crate::options::Options;
use crate::poller::{Interest, Wake};
use crate::session::Session;
use crate::socket::{Received, Sent, Socket, Source};
use crate::splice::Splices;

/// Receiving system calls a turn, and batches sent: then other work of the process gets its turn.
const RECEIVES: usize = 4;
const BATCHES: usize = 4;
/// UDP packets for JavaScript that may wait, and their bytes.
const MAX_PACKETS: usize = 512;
const MAX_PACKET_BYTES: usize = 1 << 20;
/// A packet's head in [`Driver::packets`]: length, port (16 bits each) and IPv4 address, in network order.
pub const PACKET_HEAD: usize = 8;

/// What is left after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more to do now: take another turn soon.
    Again,
    /// Nothing: wait for this.
    Wait(Interest),
}

/// A socket with its session.
pub struct Driver {
    socket: Socket,
    session: Option<Session>,
    /// Packets for JavaScript.
    packets: VecDeque<(SocketAddr, Bytes)>,
    packet_bytes: usize,
    /// Events from before there was a session.
    early: Events,
    /// There may be more to receive.
    unread: bool,
    /// A batch that the socket had no room for.
    held: Option<Transmit>,
    batch: Vec<u8>,
    /// Streams that go to targets.
    splices: Splices,
    sent_batches: u64,
    marks_ecn: bool,
}

impl Driver {
    /// Binds the socket.
    pub fn bind(address: SocketAddr) -> Result<Self, Error> {
        let socket = Socket::bind(address).map_err(refused("cannot open the UDP socket"))?;
        Ok(Self {
            socket,
            session: None,
            packets: VecDeque::new(),
            packet_bytes: 0,
            early: Events::default(),
            unread: false,
            held: None,
            batch: Vec::new(),
            splices: Splices::default(),
            sent_batches: 0,
            marks_ecn: false,
        })
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The session, once attached.
    pub fn session(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// The session, to look at.
    pub fn session_ref(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Fixes the peer and begins the session.
    pub fn attach(&mut self, options: &Options, now: Instant) -> Result<(), Error> {
        if self.session.is_some() {
            return Err(Error::new(Code::State, "the socket is attached already"));
        }
        let session = Session::new(options, self.socket.may_fragment(), now)?;
        if options.open {
            self.socket.open_to(options.peer);
        } else {
            let connected = self.socket.connect(options.peer);
            connected.map_err(with(Code::Socket, "cannot connect the UDP socket"))?;
        }
        self.session = Some(session);
        Ok(())
    }

    /// The peer is at another address. False: the socket is not open, or not attached.
    pub fn move_to(&mut self, peer: SocketAddr, now: Instant) -> bool {
        let Some(session) = &mut self.session else {
            return false;
        };
        let moved = self.socket.move_to(peer);
        if moved {
            session.path_changed(now);
        }
        moved
    }

    /// Sends one packet that is not the session's. False: it is lost.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> bool {
        self.socket.send(bytes, to)
    }

    /// Takes a packet of the peer's that came before the session was attached.
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(session) = &mut self.session {
            session.receive(now, None, bytes.into());
            session.poll();
        }
    }

    /// Receives, and writes what happened into `out`, `EVENT_WORDS` numbers an event. When `out` comes back full there
    /// may be more: call again at once.
    pub fn turn(&mut self, now: Instant, out: &mut [u32]) -> usize {
        if let Some(session) = &mut self.session {
            session.expire(now);
        }
        // While the last turn's events wait to be taken, nothing is added to them.
        if self.events().is_empty() {
            self.receive_all(now);
        }
        if let Some(session) = &mut self.session {
            session.poll();
            self.splices.turn(session, now);
        }
        self.events().take(out)
    }

    /// The next stream of JavaScript's that may write; those that are joined with targets have written then.
    pub fn next_writable(&mut self, now: Instant) -> Option<StreamNumber> {
        let session = self.session.as_mut()?;
        while let Some(stream) = session.next_writable() {
            if !self.splices.write(stream, session, now) {
                return Some(stream);
            }
        }
        None
    }

    /// Targets, and the session whose streams they are joined with.
    pub fn splices(&mut self) -> Option<(&mut Splices, &mut Session)> {
        let session = self.session.as_mut()?;
        Some((&mut self.splices, session))
    }

    /// Called from the poller's thread when a target is ready.
    pub fn on_target(&mut self, wake: Wake) {
        self.splices.on_ready(wake);
    }

    /// Sends what there is to send.
    pub fn flush(&mut self, now: Instant) -> Next {
        let full = match self.send_batches(now) {
            Some(sent) => sent == Sent::Full,
            None => return Next::Again,
        };
        // What sending has brought about (a timer, a close) is looked at too.
        let (deadline, due) = match &mut self.session {
            Some(session) => {
                session.poll();
                let deadlines = [session.next_timeout(), self.splices.next_timeout()];
                let due = session.has_writable() || session.has_diverted() || self.splices.has_work();
                (deadlines.into_iter().flatten().min(), due)
            }
            None => (None, false),
        };
        if self.unread || due || !self.events().is_empty() {
            return Next::Again;
        }
        self.splices.wait();
        Next::Wait(Interest {
            readable: true,
            writable: full,
            deadline,
        })
    }

    /// Copies packets for JavaScript into `out`, each behind its head, and gives their number. Those that never fit
    /// are dropped.
    pub fn packets(&mut self, out: &mut [u8]) -> usize {
        let whole = out.len();
        let mut rest = out;
        let mut count = 0;
        while let Some((source, packet)) = self.packets.front() {
            let length = PACKET_HEAD + packet.len();
            if length > rest.len() && length <= whole {
                break;
            }
            let slot = rest.split_off_mut(..length);
            if let (Some(slot), Some(head)) = (slot, head(*source, packet.len())) {
                let (front, body) = slot.split_at_mut(PACKET_HEAD);
                front.copy_from_slice(&head);
                body.copy_from_slice(packet);
                count += 1;
            }
            self.packet_bytes -= packet.len();
            self.packets.pop_front();
        }
        if !self.packets.is_empty() {
            self.events().push(Event::Packets);
        }
        count
    }

    /// Batches that were sent so far.
    pub fn sent_batches(&self) -> u64 {
        self.sent_batches
    }

    /// Whether what is sent asks the network for marks of congestion (ECN).
    pub fn marks_ecn(&self) -> bool {
        self.marks_ecn
    }

    fn events(&mut self) -> &mut Events {
        match &mut self.session {
            Some(session) => session.events(),
            None => &mut self.early,
        }
    }

    fn receive_all(&mut self, now: Instant) {
        let Self {
            socket,
            session,
            packets,
            packet_bytes,
            ..
        } = self;
        let had = !packets.is_empty();
        let mut received = Received::More;
        for _ in 0..RECEIVES {
            received = socket.receive(|meta, source, bytes| match session {
                Some(session) => receive_batch(session, now, (meta, source), bytes, packets, packet_bytes),
                None => {
                    for datagram in bytes.chunks(meta.stride.max(1)) {
                        keep(meta.addr, datagram, packets, packet_bytes);
                    }
                }
            });
            if received == Received::All {
                break;
            }
        }
        self.unread = received == Received::More;
        if !had && !self.packets.is_empty() {
            self.events().push(Event::Packets);
        }
    }

    /// None: the budget was used up, and there is more.
    fn send_batches(&mut self, now: Instant) -> Option<Sent> {
        let Some(session) = &mut self.session else {
            return Some(Sent::Done);
        };
        for _ in 0..BATCHES {
            let transmit = match self.held.take() {
                Some(held) => held,
                None => {
                    let most = self.socket.max_batch(session.packet_size());
                    match session.transmit(now, most, &mut self.batch) {
                        Some(transmit) => transmit,
                        None => return Some(Sent::Done),
                    }
                }
            };
            let contents = self.batch.get(..transmit.size).unwrap_or_default();
            let sent = self.socket.transmit(&quinn_udp::Transmit {
                // The session knows one address of the peer's, wherever it is now.
                destination: self.socket.peer().unwrap_or(transmit.destination),
                ecn: ecn::sent(transmit.ecn),
                contents,
                segment_size: transmit.segment_size,
                src_ip: None,
            });
            if sent == Sent::Full {
                self.held = Some(transmit);
                return Some(Sent::Full);
            }
            self.marks_ecn = transmit.ecn.is_some();
            self.sent_batches = self.sent_batches.saturating_add(1);
        }
        None
    }
}

/// Reads a receive buffer's worth: the peer's QUIC for the session, STUN for JavaScript (RFC 9443), and noise.
fn receive_batch(
    session: &mut Session,
    now: Instant,
    (meta, source): (&RecvMeta, Source),
    bytes: &[u8],
    packets: &mut VecDeque<(SocketAddr, Bytes)>,
    packet_bytes: &mut usize,
) {
    let ecn = ecn::received(meta.ecn);
    for datagram in bytes.chunks(meta.stride.max(1)) {
        match datagram.first() {
            Some(0..4) => keep(meta.addr, datagram, packets, packet_bytes),
            Some(64..) if source == Source::Peer => session.receive(now, ecn, BytesMut::from(datagram)),
            _ => {}
        }
    }
}

/// Keeps a packet for JavaScript; what comes when too many wait is lost.
fn keep(source: SocketAddr, bytes: &[u8], packets: &mut VecDeque<(SocketAddr, Bytes)>, total: &mut usize) {
    if packets.len() < MAX_PACKETS && *total + bytes.len() <= MAX_PACKET_BYTES {
        *total += bytes.len();
        packets.push_back((source, Bytes::copy_from_slice(bytes)));
    }
}

fn head(source: SocketAddr, length: usize) -> Option<[u8; PACKET_HEAD]> {
    let SocketAddr::V4(source) = source else {
        return None;
    };
    let [l0, l1] = u16::try_from(length).ok()?.to_be_bytes();
    let [p0, p1] = source.port().to_be_bytes();
    let [a, b, c, d] = source.ip().octets();
    Some([l0, l1, p0, p1, a, b, c, d])
}

/// An IPv4 address and port as JavaScript gives them.
pub fn address(address: &str, port: u32) -> Result<SocketAddr, Error> {
    let ip: std::net::Ipv4Addr = address
        .parse()
        .map_err(|_| Error::new(Code::Address, format_args!("{address:?} is not an IPv4 address")))?;
    let port = u16::try_from(port)
        .map_err(|_| Error::new(Code::Address, format_args!("port {port} is over 65535")))?;
    Ok(SocketAddr::from((ip, port)))
}
