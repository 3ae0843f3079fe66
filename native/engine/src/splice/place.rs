//! One target, from its dial until it is closed.

use std::net::SocketAddr;
use std::time::Instant;

use super::joint::Joint;
use super::waiting::Waiting;
use crate::target::Target;

/// What a target is doing.
pub(super) enum State {
    Connecting,
    /// Connected, and joined with nothing yet.
    Idle,
    Joined(Joint),
    /// Its stream broke off: what waits is delivered before the target is told.
    Lingering(Waiting),
}

/// A target and what becomes of it.
pub(super) struct Place {
    pub(super) target: Target,
    pub(super) local: Option<SocketAddr>,
    pub(super) state: State,
    /// It is in the queue.
    pub(super) queued: bool,
    /// When anything last moved, where that matters.
    pub(super) moved_at: Instant,
}

impl Place {
    /// A target that is being dialled.
    pub(super) fn new(target: Target, now: Instant) -> Self {
        Self {
            target,
            local: None,
            state: State::Connecting,
            queued: false,
            moved_at: now,
        }
    }
}
