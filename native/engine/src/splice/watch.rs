//! What tells that targets have changed.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::epoll::Epoll;
use crate::poller::{Interest, Registration, Wake};

/// All targets' sockets, which the poller's thread waits for as if they were one.
pub(super) struct Watch {
    registration: Registration<OwnedFd>,
    pub(super) epoll: Epoll,
}

impl Watch {
    pub(super) fn new(wake: Option<Wake>) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        let registration = Registration::new(&epoll.fd, wake.unwrap_or_else(|| Arc::new(|| {})))?;
        Ok(Self { registration, epoll })
    }

    /// Waits for them, once.
    pub(super) fn wait(&self) {
        self.registration.wait(Interest::READABLE);
    }
}
