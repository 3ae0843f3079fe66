//! A TCP connection to a target, without blocking.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, TcpKeepalive, Type};

use crate::epoll::Epoll;
use crate::events::{Failure, TargetNumber};

/// An idle connection is probed after this long: its peer may be gone without a word.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Self::NetworkUnreachable,
            ErrorKind::HostUnreachable => Self::HostUnreachable,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::AddrNotAvailable => Self::NoAddress,
            ErrorKind::PermissionDenied => Self::NotAllowed,
            ErrorKind::OutOfMemory => Self::Exhausted,
            _ => match error.raw_os_error() {
                Some(ENFILE | EMFILE | ENOBUFS) => Self::Exhausted,
                Some(EAFNOSUPPORT) => Self::UnknownFamily,
                Some(EHOSTDOWN) => Self::HostUnreachable,
                _ => Self::Other,
            },
        }
    }
}

/// A connection, established or still being made. Dropped, it closes: with a FIN, unless something is unread.
pub struct Target {
    socket: TcpStream,
}

impl Target {
    /// Starts connecting. `epoll` tells of it by this number, also once the outcome is known.
    pub fn connect(to: SocketAddr, epoll: &Epoll, number: TargetNumber) -> io::Result<Self> {
        let kind = Type::STREAM.nonblocking();
        let socket = socket2::Socket::new(Domain::for_address(to), kind, Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(true)?;
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE))?;
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(EINPROGRESS) => return Err(error),
            _ => {}
        }
        epoll.add(&socket, number)?;
        Ok(Self {
            socket: socket.into(),
        })
    }

    /// The local address once it is connected, or why it is not. None while it is being made.
    pub fn connected(&self) -> Option<io::Result<SocketAddr>> {
        match self.socket.peer_addr() {
            Ok(_) => Some(self.socket.local_addr()),
            Err(none) if none.kind() == ErrorKind::NotConnected => match self.socket.take_error() {
                Ok(None) => None,
                Ok(Some(error)) | Err(error) => Some(Err(error)),
            },
            Err(error) => Some(Err(error)),
        }
    }

    /// Reads what is here; 0 is the end. None: nothing is here now.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        attempt(|| (&self.socket).read(buffer))
    }

    /// Writes what there is room for, and gives how much that was.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(attempt(|| (&self.socket).write(bytes))?.unwrap_or(0))
    }

    /// Ends this end's direction (FIN).
    pub fn end(&self) {
        // One that the peer has reset says so when it is read.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Breaks the connection (RST): what the system still has to deliver is lost.
    pub fn reset(self) {
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }
}

// Linux's numbers of what `ErrorKind` has no stable name for.
const EINPROGRESS: i32 = 115;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOBUFS: i32 = 105;
const EAFNOSUPPORT: i32 = 97;
const EHOSTDOWN: i32 = 112;

/// None: it would block.
fn attempt(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
