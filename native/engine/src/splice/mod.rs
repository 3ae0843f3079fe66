//! Streams spliced to targets: their bytes go from QUIC to TCP and back without a step of JavaScript's.
//!
//! JavaScript dials a target, joins it with a stream, and hears of both again when that is over. What it has to decide
//! (whether a target is allowed, what the peer is told of a break) stays its own.

mod joint;
mod place;
mod turn;
mod waiting;
mod watch;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use rustc_hash::FxHashMap;

pub use joint::Leftover;

use crate::events::{StreamNumber, TargetNumber};
use crate::poller::Wake;
use crate::session::{Session, Write};
use crate::target::Target;
use joint::{Joint, Over};
use place::{Place, State};
use watch::Watch;

/// All targets of a session.
#[derive(Default)]
pub struct Splices {
    wake: Option<Wake>,
    /// Made with the first target.
    watch: Option<Watch>,
    /// There may be more to hear.
    unheard: bool,
    places: FxHashMap<TargetNumber, Place>,
    by_stream: FxHashMap<StreamNumber, TargetNumber>,
    leftovers: FxHashMap<StreamNumber, Leftover>,
    next_number: TargetNumber,
    /// Targets whose turn it is.
    queue: VecDeque<TargetNumber>,
    next_look: Option<Instant>,
}

impl Splices {
    /// `wake` is called from the poller's thread when a turn is due.
    pub fn on_ready(&mut self, wake: Wake) {
        self.wake = Some(wake);
    }

    /// Starts connecting to a target: `Dialled` or `Undialled` follows.
    pub fn dial(&mut self, to: SocketAddr, now: Instant) -> io::Result<TargetNumber> {
        let number = self.next_number;
        let watch = match &mut self.watch {
            Some(watch) => watch,
            none => none.insert(Watch::new(self.wake.clone())?),
        };
        let target = Target::connect(to, &watch.epoll, number)?;
        self.next_number = number.wrapping_add(1);
        self.places.insert(number, Place::new(target, now));
        Ok(number)
    }

    /// The address that a connected target is reached from.
    pub fn local(&self, target: TargetNumber) -> Option<SocketAddr> {
        self.places.get(&target)?.local
    }

    /// Breaks off a target that is joined with nothing, or is still being dialled. Nothing is told of it any more.
    pub fn hang_up(&mut self, target: TargetNumber) {
        let is_alone = |place: &Place| matches!(place.state, State::Connecting | State::Idle);
        if self.places.get(&target).is_some_and(is_alone)
            && let Some(place) = self.places.remove(&target)
        {
            place.target.reset();
        }
    }

    /// Joins a stream with a connected target; `Parted` follows. `up` and `down` were read before, from the stream
    /// and for it, and go first; `ended`: the stream's end was read, too. False: there is no such target.
    pub fn join(
        &mut self,
        session: &mut Session,
        stream: StreamNumber,
        target: TargetNumber,
        (up, down, ended): (&[u8], &[u8], bool),
    ) -> bool {
        let Some(place) = self.places.get_mut(&target) else {
            return false;
        };
        if !matches!(place.state, State::Idle) {
            return false;
        }
        let mut joint = Joint::new(stream, up, down, ended);
        session.divert(stream);
        // It was told before, or is about to be told to who had the stream until now.
        if session.write(stream, &[]) != Write::Taken(0) {
            joint.refuse(session);
        }
        place.state = State::Joined(joint);
        self.by_stream.insert(stream, target);
        self.enqueue(target);
        true
    }

    /// The peer breaks a joined stream off behind so many bytes of what the joint reads, an end counted as one.
    pub fn break_at(&mut self, stream: StreamNumber, at: u64) {
        self.with_joint(stream, |joint| joint.break_at(at));
    }

    /// Gives a joined stream up at once.
    pub fn give_up(&mut self, stream: StreamNumber, session: &mut Session, now: Instant) {
        if let Some(number) = self.by_stream.get(&stream).copied() {
            self.part(number, Over::StreamGone, session, now);
        }
    }

    /// The peer has ended a joined stream, and all that it sent is here.
    pub fn end_found(&mut self, stream: StreamNumber) {
        self.with_joint(stream, Joint::end_found);
    }

    /// What a joint left of a stream whose target broke off; it is given once.
    pub fn leftover(&mut self, stream: StreamNumber) -> Option<Leftover> {
        self.leftovers.remove(&stream)
    }

    /// Another turn is due at once.
    pub fn has_work(&self) -> bool {
        self.unheard || !self.queue.is_empty()
    }

    /// When a turn is due at the latest.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.next_look
    }

    /// The session is over: every target is told of a break.
    pub fn break_all(&mut self) {
        for (_, place) in self.places.drain() {
            place.target.reset();
        }
        self.by_stream.clear();
        self.leftovers.clear();
        self.queue.clear();
        self.next_look = None;
    }

    /// Waits for the targets, once: the next turn hears them.
    pub fn wait(&self) {
        if let Some(watch) = &self.watch {
            watch.wait();
        }
    }

    fn with_joint(&mut self, stream: StreamNumber, tell: impl FnOnce(&mut Joint)) {
        let Some(number) = self.by_stream.get(&stream).copied() else {
            return;
        };
        if let Some(State::Joined(joint)) = self.places.get_mut(&number).map(|place| &mut place.state) {
            tell(joint);
            self.enqueue(number);
        }
    }

    fn enqueue(&mut self, number: TargetNumber) {
        if let Some(place) = self.places.get_mut(&number)
            && !std::mem::replace(&mut place.queued, true)
        {
            self.queue.push_back(number);
        }
    }
}

impl Drop for Splices {
    /// An end would say that all was said.
    fn drop(&mut self) {
        self.break_all();
    }
}
