//! Where the system is not Linux, streams are not spliced: the exit's targets are the runtime's own sockets there.

use std::time::Instant;

use crate::events::StreamNumber;
use crate::poller::Wake;
use crate::session::Session;

/// No targets.
#[derive(Default)]
#[allow(missing_docs)]
pub struct Splices;

#[allow(missing_docs)]
impl Splices {
    pub fn on_ready(&mut self, _wake: Wake) {}
    pub fn turn(&mut self, _session: &mut Session, _now: Instant) {}
    pub fn write(&mut self, _stream: StreamNumber, _session: &mut Session, _now: Instant) -> bool {
        false
    }
    pub fn has_work(&self) -> bool {
        false
    }
    pub fn next_timeout(&self) -> Option<Instant> {
        None
    }
    pub fn wait(&self) {}
    pub fn break_all(&mut self) {}
}
