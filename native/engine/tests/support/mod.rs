//! Two sessions and the network between them, in memory and on a clock of its own.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[cfg(target_os = "linux")]
pub mod exit;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use engine::events::Event;
use engine::options::{Congestion, Options, Role};
use engine::session::{Read, Session, Write};
use ring::digest::{SHA256, digest};

/// A key and certificate, and the pin that the other end is told.
pub struct Identity {
    pub key: Vec<u8>,
    pub certificate: Vec<u8>,
    pub pin: [u8; 32],
}

impl Identity {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["tunnel".into()]).unwrap();
        let pin = digest(&SHA256, made.cert.der()).as_ref().try_into().unwrap();
        let key = made.signing_key.serialize_pem().into_bytes();
        Self {
            key,
            certificate: made.cert.pem().into_bytes(),
            pin,
        }
    }
}

/// Options of one end, as the tests use them.
pub fn options(role: Role, own: &Identity, pin: [u8; 32]) -> Options {
    Options {
        peer: address(role),
        open: false,
        role,
        key: own.key.clone(),
        certificate: own.certificate.clone(),
        pin,
        alpn: b"test/1".to_vec(),
        congestion: Congestion::Bbr,
        packet_size: 1350,
        max_packet_size: 1472,
        stream_window: 1 << 20,
        connection_window: 1 << 40,
        send_buffer: 4 << 20,
        max_streams: if role == Role::Server { 1 } else { 100 },
        datagram_buffer: 1 << 16,
        idle_timeout_ms: 15_000,
        keep_alive_ms: 0,
        ack_every: 8,
    }
}

/// The peer of an end.
fn address(role: Role) -> SocketAddr {
    match role {
        Role::Client => "192.0.2.1:1000".parse().unwrap(),
        Role::Server => "192.0.2.2:2000".parse().unwrap(),
    }
}

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Client,
    Server,
}

struct Packet {
    at: Instant,
    to: End,
    bytes: Vec<u8>,
}

/// What the network does to a packet: its number (counted from 0 over both directions), where it goes, and its bytes.
pub type Fate = Box<dyn FnMut(usize, End, &mut Vec<u8>) -> bool>;

/// Two ends and a network with a delay.
pub struct Pair {
    pub client: Session,
    pub server: Session,
    pub now: Instant,
    pub delay: Duration,
    /// False: the packet is lost.
    pub fate: Fate,
    pub sent: usize,
    pub client_events: VecDeque<Event>,
    pub server_events: VecDeque<Event>,
    network: VecDeque<Packet>,
    buffer: Vec<u8>,
}

impl Pair {
    pub fn new() -> Self {
        let (client, server) = (Identity::new(), Identity::new());
        Self::with(
            options(Role::Client, &client, server.pin),
            options(Role::Server, &server, client.pin),
        )
    }

    pub fn with(client: Options, server: Options) -> Self {
        let now = Instant::now();
        Self {
            client: Session::new(&client, false, now).unwrap(),
            server: Session::new(&server, false, now).unwrap(),
            now,
            delay: Duration::from_millis(5),
            fate: Box::new(|_, _, _| true),
            sent: 0,
            client_events: VecDeque::new(),
            server_events: VecDeque::new(),
            network: VecDeque::new(),
            buffer: Vec::new(),
        }
    }

    pub fn session(&mut self, end: End) -> &mut Session {
        match end {
            End::Client => &mut self.client,
            End::Server => &mut self.server,
        }
    }

    pub fn events(&mut self, end: End) -> &mut VecDeque<Event> {
        match end {
            End::Client => &mut self.client_events,
            End::Server => &mut self.server_events,
        }
    }

    /// Runs until both handshakes are done.
    pub fn connect(&mut self) {
        self.run(Duration::from_secs(30), |pair| {
            pair.client_events.contains(&Event::Connected) && pair.server_events.contains(&Event::Connected)
        });
        self.client_events.clear();
        self.server_events.clear();
    }

    /// Lets time pass, so much at most, until it is done; panics when it is not.
    pub fn run(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) {
        let until = self.now + limit;
        loop {
            self.transmit();
            if done(self) {
                return;
            }
            self.transmit();
            let next = [
                self.network.front().map(|packet| packet.at),
                self.client.next_timeout(),
                self.server.next_timeout(),
            ];
            let next = next.into_iter().flatten().min();
            match next {
                Some(next) if next <= until => self.now = self.now.max(next),
                _ => panic!(
                    "not done in {limit:?}: client {:?} {:?}, server {:?} {:?}",
                    self.client.close_reason(),
                    self.client_events,
                    self.server.close_reason(),
                    self.server_events
                ),
            }
            self.deliver();
        }
    }

    /// Lets so much time pass.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        let mut stopped = false;
        self.run(time + Duration::from_secs(3600), |pair| {
            let next = [
                pair.network.front().map(|packet| packet.at),
                pair.client.next_timeout(),
                pair.server.next_timeout(),
            ];
            stopped = next.into_iter().flatten().min().is_none_or(|next| next > until);
            stopped
        });
        self.now = until;
    }

    /// A packet from anywhere.
    pub fn inject(&mut self, to: End, bytes: &[u8]) {
        let now = self.now;
        self.session(to).receive(now, None, bytes.into());
        self.settle(to);
    }

    pub fn transmit(&mut self) {
        for end in [End::Client, End::Server] {
            let to = if end == End::Client {
                End::Server
            } else {
                End::Client
            };
            let mut buffer = std::mem::take(&mut self.buffer);
            let now = self.now;
            while let Some(transmit) = self.session(end).transmit(now, 10, &mut buffer) {
                for datagram in buffer[..transmit.size].chunks(transmit.segment_size.unwrap_or(transmit.size))
                {
                    let mut bytes = datagram.to_vec();
                    let number = self.sent;
                    self.sent += 1;
                    if (self.fate)(number, to, &mut bytes) {
                        self.network.push_back(Packet {
                            at: self.now + self.delay,
                            to,
                            bytes,
                        });
                    }
                }
            }
            self.buffer = buffer;
            self.settle(end);
        }
    }

    fn deliver(&mut self) {
        while self.network.front().is_some_and(|packet| packet.at <= self.now) {
            let packet = self.network.pop_front().unwrap();
            let now = self.now;
            self.session(packet.to)
                .receive(now, None, packet.bytes.as_slice().into());
        }
        for end in [End::Client, End::Server] {
            let now = self.now;
            self.session(end).expire(now);
            self.settle(end);
        }
    }

    fn settle(&mut self, end: End) {
        let session = self.session(end);
        session.poll();
        let mut events = Vec::new();
        while let Some(event) = session.next_event() {
            events.push(event);
        }
        self.events(end).extend(events);
    }

    /// Reads all that is here of a stream; true when its end was read.
    pub fn read_all(&mut self, end: End, stream: u32, into: &mut Vec<u8>) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.session(end).read(stream, &mut buffer) {
                Read::Bytes { count, end: ended } => {
                    into.extend(&buffer[..count]);
                    if ended {
                        return true;
                    }
                    if count == 0 {
                        return false;
                    }
                }
                Read::Gone => return false,
            }
        }
    }

    /// Writes as much as is taken, and gives how much that was.
    pub fn write(&mut self, end: End, stream: u32, bytes: &[u8]) -> usize {
        match self.session(end).write(stream, bytes) {
            Write::Taken(taken) => taken,
            other => panic!("{other:?}"),
        }
    }
}

/// Bytes that are the same every time.
pub fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..length).map(|_| random.next() as u8).collect()
}

/// A small generator (xorshift64*), so that a failure can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
