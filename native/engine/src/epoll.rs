//! One set of sockets that the system watches, told at each change (edge-triggered): whoever is told reads and writes until
//! the system says that it would block.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Sockets that are told of by one call.
const AT_ONCE: usize = 256;
const NO_WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// The set. A socket leaves it when it is closed.
pub struct Epoll {
    /// Readable while there is something to tell.
    pub fd: Arc<OwnedFd>,
    events: Vec<Event>,
}

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            fd: Arc::new(epoll::create(CreateFlags::CLOEXEC)?),
            events: Vec::with_capacity(AT_ONCE),
        })
    }

    /// Watches a socket, whose changes are told by this number.
    pub fn add(&self, socket: impl AsFd, number: u32) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.fd, socket, EventData::new_u64(number.into()), flags)?;
        Ok(())
    }

    /// Tells of the sockets that have changed, without waiting. True: there may be more.
    pub fn changed(&mut self, mut tell: impl FnMut(u32)) -> bool {
        self.events.clear();
        // After an error (interrupted, say) the next turn asks again.
        let _ = epoll::wait(&self.fd, spare_capacity(&mut self.events), Some(&NO_WAIT));
        for event in &self.events {
            let number = event.data;
            tell(number.u64() as u32);
        }
        self.events.len() == AT_ONCE
    }
}
