//! Handshakes that are not done: the client's one, or those that Initials have begun at the server.

use quinn_proto::{ConnectionHandle, Endpoint, EndpointEvent};

use super::{Link, Links};

/// Handshakes at once. A flood of forged Initials pushes out the oldest; the peer's own, sent again, comes back.
const MAX_ATTEMPTS: usize = 8;

#[derive(Default)]
pub(super) struct Attempts(Links);

impl Attempts {
    pub(super) fn add(&mut self, link: Link, endpoint: &mut Endpoint) {
        while self.0.len() >= MAX_ATTEMPTS {
            if let Some(oldest) = self.0.pop_front() {
                forget(endpoint, oldest);
            }
        }
        self.0.push_back(link);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn find(&mut self, handle: ConnectionHandle) -> Option<&mut Link> {
        self.0.iter_mut().find(|link| link.handle == handle)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.0.iter_mut()
    }

    /// Takes one out: it has become the session's connection.
    pub(super) fn take(&mut self, handle: ConnectionHandle) -> Option<Link> {
        let at = self.0.iter().position(|link| link.handle == handle)?;
        self.0.remove(at)
    }

    /// Ends those that have failed.
    pub(super) fn remove_lost(&mut self, endpoint: &mut Endpoint) {
        while let Some(at) = self.0.iter().position(|link| link.lost) {
            if let Some(link) = self.0.remove(at) {
                forget(endpoint, link);
            }
        }
    }

    /// Ends them all.
    pub(super) fn clear(&mut self, endpoint: &mut Endpoint) {
        while let Some(link) = self.0.pop_front() {
            forget(endpoint, link);
        }
    }
}

/// The endpoint keeps no ids of a connection that is gone.
fn forget(endpoint: &mut Endpoint, link: Link) {
    endpoint.handle_event(link.handle, EndpointEvent::drained());
}
