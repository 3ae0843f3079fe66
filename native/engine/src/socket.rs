//! The session's UDP socket: datagrams in batches both ways, by GSO, GRO and ECN where the system has them.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Type};

/// What may wait in the kernel while this process is busy, in bytes; the system may grant less.
const RECEIVE_BUFFER: usize = 4 << 20;
const SEND_BUFFER: usize = 2 << 20;
/// Messages a receiving system call; with GRO each may hold dozens of datagrams.
const MESSAGES: usize = 8;
const MESSAGE_LENGTH: usize = 65_535;
/// The most that one batch may hold: UDP's own limit, with room for headers.
const MAX_BATCH: usize = 65_000;
/// Errors of earlier datagrams (ICMP) that a receiving call may report before it gives one.
const MAX_ERRORS: usize = 16;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The system took it, or will never take it: for QUIC that is a loss like another.
    Done,
    /// The socket is full: try again when it is writable.
    Full,
}

/// Whether the queue was emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing is left.
    All,
    /// There may be more.
    More,
}

/// A bound UDP socket.
pub struct Socket {
    socket: Arc<UdpSocket>,
    state: UdpSocketState,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    /// The peer may move: other sources are let through, and whoever reads tells them apart.
    open: bool,
    /// Where the peer was before it moved.
    former: Option<SocketAddr>,
}

/// Whose a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The peer's, at its address or the one before; before there is a peer, anybody's.
    Peer,
    /// Somebody else's.
    Other,
}

impl Socket {
    /// Binds to an address; port 0 is any free one.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // Less room than asked for serves too, only less well.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        socket.bind(&address.into())?;
        let socket = Arc::new(UdpSocket::from(socket));
        let state = UdpSocketState::new((&*socket).into())?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            state,
            local,
            peer: None,
            open: false,
            former: None,
        })
    }

    /// Fixes the peer: the kernel drops what any other source sends from here on, and skips the look-up of the route.
    pub fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        // Darwin refuses a destination on a connected socket, and quinn-udp always gives one: there the source
        // check alone must do.
        if !cfg!(target_vendor = "apple") {
            self.socket.connect(peer)?;
            self.local = self.socket.local_addr()?;
        }
        self.peer = Some(peer);
        Ok(())
    }

    /// Fixes the peer, who may move later: other sources go on being heard.
    pub fn open_to(&mut self, peer: SocketAddr) {
        self.peer = Some(peer);
        self.open = true;
    }

    /// The peer is at another address from here on; what still comes from the one before is heard too. False: the
    /// socket is not open.
    pub fn move_to(&mut self, peer: SocketAddr) -> bool {
        if self.open && self.peer != Some(peer) {
            self.former = self.peer.replace(peer);
        }
        self.open
    }

    /// Where the peer is.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The address that it is bound to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The socket itself, for the poller.
    pub fn raw(&self) -> &Arc<UdpSocket> {
        &self.socket
    }

    /// The receive buffer that the system granted, in bytes; 0 where it does not say.
    pub fn receive_buffer(&self) -> usize {
        SockRef::from(&*self.socket).recv_buffer_size().unwrap_or(0)
    }

    /// Whether the system may cut datagrams into fragments.
    pub fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    /// Datagrams of this size a system call.
    pub fn max_batch(&self, size: usize) -> usize {
        (MAX_BATCH / size.max(1)).clamp(1, self.state.max_gso_segments().max(1))
    }

    /// Sends one datagram. False: the system did not take it, and it is lost.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> bool {
        match self.peer {
            Some(peer) if peer != to && !self.open => false,
            Some(_) if !self.open && !cfg!(target_vendor = "apple") => self.socket.send(bytes).is_ok(),
            _ => self.socket.send_to(bytes, to).is_ok(),
        }
    }

    /// Sends a batch of datagrams to the peer.
    pub fn transmit(&self, transmit: &Transmit<'_>) -> Sent {
        match self.state.try_send((&*self.socket).into(), transmit) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Sent::Full,
            _ => Sent::Done,
        }
    }

    /// Hands over what one system call gives. What is not the peer's, once there is one, is dropped, unless the socket
    /// is open: it was queued before the kernel knew.
    pub fn receive(&self, mut each: impl FnMut(&RecvMeta, Source, &[u8])) -> Received {
        BUFFERS.with_borrow_mut(|buffers| {
            let Some(count) = self.fill(buffers) else {
                return Received::All;
            };
            for (meta, buffer) in buffers.metas.iter().zip(&buffers.bytes).take(count) {
                let source = self.source(meta.addr);
                if source == Source::Other && !self.open {
                    continue;
                }
                if let Some(bytes) = buffer.get(..meta.len) {
                    each(meta, source, bytes);
                }
            }
            if count < MESSAGES {
                Received::All
            } else {
                Received::More
            }
        })
    }

    fn source(&self, from: SocketAddr) -> Source {
        if self.peer.is_none_or(|peer| peer == from) || self.former == Some(from) {
            Source::Peer
        } else {
            Source::Other
        }
    }

    fn fill(&self, buffers: &mut Buffers) -> Option<usize> {
        let mut slices = buffers.bytes.each_mut().map(|buffer| IoSliceMut::new(buffer));
        for _ in 0..MAX_ERRORS {
            match self
                .state
                .recv((&*self.socket).into(), &mut slices, &mut buffers.metas)
            {
                Ok(count) => return Some(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                // An ICMP error for an earlier datagram says nothing about this socket.
                Err(_) => {}
            }
        }
        None
    }
}

struct Buffers {
    bytes: [Vec<u8>; MESSAGES],
    metas: [RecvMeta; MESSAGES],
}

thread_local! {
    /// One set for all sockets of a thread: they are emptied before the call returns.
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        bytes: std::array::from_fn(|_| vec![0; MESSAGE_LENGTH]),
        metas: [RecvMeta::default(); MESSAGES],
    });
}
