//! An exit with one target: real TCP on one side, a session in memory on the other.

use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use engine::events::{Event, Parting, TargetNumber};
use engine::options::{Options, Role};
use engine::splice::Splices;
use socket2::SockRef;

use super::{End, Identity, Pair, options};

pub const LIMIT: Duration = Duration::from_secs(20);

/// An exit (the session's client) that has joined a stream of its peer's with a target.
pub struct Exit {
    pub pair: Pair,
    pub splices: Splices,
    pub stream: u32,
    pub target: TargetNumber,
    /// The target's own end.
    pub remote: TcpStream,
    pub told: Vec<Event>,
    /// What the peer has read, and whether it read the end.
    pub heard: Vec<u8>,
    pub ended: bool,
}

impl Exit {
    pub fn new() -> Self {
        Self::with((b"", b"", false), |_, _| {})
    }

    /// `before` was read before they are joined; `prepare` may have the peer say something on the stream.
    pub fn with(before: (&[u8], &[u8], bool), prepare: impl FnOnce(&mut Pair, u32)) -> Self {
        let (own, peers) = (Identity::new(), Identity::new());
        // The session's clock runs ahead of that of the system's TCP.
        let patient = |role, own: &Identity, pin| Options {
            idle_timeout_ms: 3_600_000,
            // No multiple of a read.
            stream_window: (1 << 20) + 1_000,
            ..options(role, own, pin)
        };
        let mut pair = Pair::with(
            patient(Role::Client, &own, peers.pin),
            patient(Role::Server, &peers, own.pin),
        );
        pair.connect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut splices = Splices::default();
        let target = splices.dial(listener.local_addr().unwrap(), pair.now).unwrap();
        let (remote, from) = listener.accept().unwrap();
        remote.set_nonblocking(true).unwrap();
        let stream = pair.server.open().unwrap();
        pair.write(End::Server, stream, b".");
        pair.run(LIMIT, |pair| pair.client_events.contains(&Event::Opened(stream)));
        pair.read_all(End::Client, stream, &mut Vec::new());
        prepare(&mut pair, stream);
        let mut exit = Self {
            pair,
            splices,
            stream,
            target,
            remote,
            told: Vec::new(),
            heard: Vec::new(),
            ended: false,
        };
        exit.until(|exit| exit.told.contains(&Event::Dialled(target)));
        assert_eq!(exit.splices.local(target), Some(from));
        let Self { pair, splices, .. } = &mut exit;
        assert!(splices.join(&mut pair.client, stream, target, before));
        assert!(splices.has_work());
        exit
    }

    /// A turn at the exit, and what that and the network bring about.
    pub fn turn(&mut self) {
        let Self { pair, splices, .. } = self;
        splices.turn(&mut pair.client, pair.now);
        while let Some(stream) = pair.client.next_writable() {
            splices.write(stream, &mut pair.client, pair.now);
        }
        pair.pass(Duration::from_millis(1));
        self.told.extend(pair.client_events.drain(..));
    }

    /// Takes turns until it is so, while the peer reads all that comes.
    pub fn until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !done(self) {
            assert!(
                Instant::now() < deadline,
                "{:?} {:?}",
                self.told,
                self.heard.len()
            );
            self.turn();
            let stream = self.stream;
            self.ended |= self.pair.read_all(End::Server, stream, &mut self.heard);
        }
    }

    /// Turns at which there is nothing left to do.
    pub fn settle(&mut self) {
        for _ in 0..50 {
            self.turn();
        }
    }

    pub fn says(&mut self, all: &[u8]) {
        let mut rest = all;
        self.until(|exit| {
            let taken = exit.pair.write(End::Server, exit.stream, rest);
            rest = &rest[taken..];
            rest.is_empty()
        });
    }

    pub fn parted(&self) -> Option<Parting> {
        self.told.iter().find_map(|event| match event {
            Event::Parted(stream, how) if *stream == self.stream => Some(*how),
            _ => None,
        })
    }

    pub fn hung_up(&self) -> bool {
        self.told.contains(&Event::HungUp(self.target))
    }

    /// Reads at the target until so much has come, its end (Ok) or a break (Err).
    pub fn remote_hears(&mut self, length: usize) -> (Vec<u8>, Option<Result<(), ErrorKind>>) {
        let mut heard = Vec::new();
        let mut over = None;
        self.until(|exit| {
            let mut buffer = [0; 65_536];
            match exit.remote.read(&mut buffer) {
                Ok(0) => over = Some(Ok(())),
                Ok(count) => heard.extend(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => over = Some(Err(error.kind())),
            }
            over.is_some() || heard.len() >= length
        });
        (heard, over)
    }

    pub fn breaks_off(&mut self) {
        SockRef::from(&self.remote)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        // Dropped, with a reset.
        self.remote = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| TcpStream::connect(listener.local_addr()?))
            .unwrap();
    }
}

/// More than the system and the session together hold of what nobody reads.
pub const MUCH: usize = 16 << 20;
