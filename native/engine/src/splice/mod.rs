//! Streams spliced to targets: their bytes go from QUIC to TCP and back without a step of JavaScript's.
//!
//! JavaScript dials a target, joins it with a stream, and hears of both again when that is over. What it has to decide
//! (whether a target is allowed, what the peer is told of a break) stays its own.

mod joint;
mod waiting;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

pub use joint::Leftover;

use crate::epoll::Epoll;
use crate::events::{Event, Parting, StreamNumber, TargetNumber};
use crate::poller::{Interest, Registration, Wake};
use crate::session::{Session, Write};
use crate::target::Target;
use joint::{Joint, Next, Over};
use waiting::Waiting;

/// What one joint moves before the next has its turn, and all of them before other work of the process has: bytes.
const PART: usize = 64 * 1024;
const TURN: usize = 512 * 1024;
/// What a joint counts for in a turn at least: to move nothing takes its time, too. Bytes.
const LEAST: usize = 4 * 1024;

/// With one direction ended and nothing in the other for this long, both are given up.
const HALF_CLOSED: Duration = Duration::from_secs(300);
/// What was said to a target whose stream broke off is delivered for this long.
const LINGER: Duration = Duration::from_secs(300);
/// How often these two are looked at.
const LOOK: Duration = Duration::from_secs(30);

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; PART]);
}

/// One read's worth beside so many targets: as much may wait in each direction of each of them. Bytes.
fn read_size(targets: usize) -> usize {
    match targets {
        0..=16 => PART,
        17..=100 => 16 * 1024,
        _ => 8 * 1024,
    }
}

enum State {
    Connecting,
    /// Connected, and joined with nothing yet.
    Idle,
    Joined(Joint),
    /// Its stream broke off: what waits is delivered before the target is told.
    Lingering(Waiting),
}

struct Place {
    target: Target,
    local: Option<SocketAddr>,
    state: State,
    /// It is in the queue.
    queued: bool,
    /// When anything last moved, where that matters.
    moved_at: Instant,
}

/// All targets' sockets, which the poller's thread waits for as if they were one.
struct Watch {
    registration: Registration<OwnedFd>,
    epoll: Epoll,
}

impl Watch {
    fn new(wake: Option<Wake>) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        let registration = Registration::new(&epoll.fd, wake.unwrap_or_else(|| Arc::new(|| {})))?;
        Ok(Self { registration, epoll })
    }
}

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

    /// Starts connecting to a target: [`Event::Dialled`] or [`Event::Undialled`] follows.
    pub fn dial(&mut self, to: SocketAddr, now: Instant) -> io::Result<TargetNumber> {
        let number = self.next_number;
        let watch = match &mut self.watch {
            Some(watch) => watch,
            none => none.insert(Watch::new(self.wake.clone())?),
        };
        let target = Target::connect(to, &watch.epoll, number)?;
        self.next_number = number.wrapping_add(1);
        let place = Place {
            target,
            local: None,
            state: State::Connecting,
            queued: false,
            moved_at: now,
        };
        self.places.insert(number, place);
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

    /// Joins a stream with a connected target; [`Event::Parted`] follows. `up` and `down` were read before, from the
    /// stream and for it, and go first; `ended`: the stream's end was read, too. False: there is no such target.
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

    /// What a joint left of a stream whose target broke off ([`Parting::TargetBroke`]); it is given once.
    pub fn leftover(&mut self, stream: StreamNumber) -> Option<Leftover> {
        self.leftovers.remove(&stream)
    }

    /// Moves what there is, and tells what has come of it.
    pub fn turn(&mut self, session: &mut Session, now: Instant) {
        if session.close_reason().is_some() {
            self.break_all();
            return;
        }
        self.look(session, now);
        self.hear(session);
        while let Some(event) = session.next_diverted() {
            match event {
                Event::Readable(stream) => self.with_joint(stream, |_| {}),
                Event::Stopped(stream, _) => self.with_joint(stream, |joint| joint.refuse(session)),
                // What was unread of it is gone: nothing else need be waited for.
                Event::Reset(stream, _) => self.give_up(stream, session, now),
                _ => {}
            }
        }
        let mut left = TURN;
        while left > 0 {
            let Some(number) = self.queue.pop_front() else {
                return;
            };
            left = left.saturating_sub(self.work(number, session, now).max(LEAST));
        }
    }

    /// Lets a stream write that there is room for. False: it is joined with no target.
    pub fn write(&mut self, stream: StreamNumber, session: &mut Session, now: Instant) -> bool {
        let Some(number) = self.by_stream.get(&stream).copied() else {
            return false;
        };
        self.work(number, session, now);
        true
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
            watch.registration.wait(Interest::READABLE);
        }
    }

    /// Hears targets that have changed; others that have wait for the next turn.
    fn hear(&mut self, session: &mut Session) {
        let Some(mut watch) = self.watch.take() else {
            return;
        };
        self.unheard = watch.epoll.changed(|number| {
            if self.is_made(number, session) {
                self.enqueue(number);
            }
        });
        self.watch = Some(watch);
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

    /// Whether the connection is made; that it is, or is not, is told once.
    fn is_made(&mut self, number: TargetNumber, session: &mut Session) -> bool {
        let Some(place) = self.places.get_mut(&number) else {
            return false;
        };
        if !matches!(place.state, State::Connecting) {
            return true;
        }
        match place.target.connected() {
            None => {}
            Some(Ok(local)) => {
                place.state = State::Idle;
                place.local = Some(local);
                session.events().push(Event::Dialled(number));
            }
            Some(Err(error)) => {
                self.places.remove(&number);
                session.events().push(Event::Undialled(number, (&error).into()));
            }
        }
        false
    }

    /// Gives a target its turn, and says what it took of everybody's.
    fn work(&mut self, number: TargetNumber, session: &mut Session, now: Instant) -> usize {
        let size = read_size(self.places.len());
        let Some(place) = self.places.get_mut(&number) else {
            return 0;
        };
        place.queued = false;
        match &mut place.state {
            State::Connecting | State::Idle => 0,
            State::Joined(joint) => {
                let before = joint.moved();
                let pumped = BUFFER.with_borrow_mut(|buffer| {
                    let room = buffer.get_mut(..size).unwrap_or_default();
                    joint.pump(&place.target, session, room, PART)
                });
                let moved = joint.moved().saturating_sub(before);
                match pumped {
                    Ok(Next::Again) => self.enqueue(number),
                    Ok(Next::Wait) if joint.is_half_closed() => {
                        place.moved_at = now;
                        self.look_later(now);
                    }
                    Ok(Next::Wait) => {}
                    Err(over) => self.part(number, over, session, now),
                }
                usize::try_from(moved).unwrap_or(usize::MAX)
            }
            State::Lingering(unsent) => {
                match place.target.write(unsent.rest()) {
                    Ok(count) => *unsent = std::mem::take(unsent).after(count),
                    Err(_) => *unsent = Waiting::default(),
                }
                if unsent.is_empty() {
                    self.let_go(number, session);
                }
                0
            }
        }
    }

    /// A joint is over: its stream is told of, and its target as well unless it lingers.
    fn part(&mut self, number: TargetNumber, over: Over, session: &mut Session, now: Instant) {
        let Some(place) = self.places.get_mut(&number) else {
            return;
        };
        let State::Joined(joint) = std::mem::replace(&mut place.state, State::Idle) else {
            return;
        };
        let stream = joint.stream;
        self.by_stream.remove(&stream);
        session.undivert(stream);
        let over = match over {
            Over::TargetBroke if joint.is_refused() => Over::StreamGone,
            over => over,
        };
        let parting = match over {
            Over::Complete => Parting::Complete,
            Over::TargetBroke => Parting::TargetBroke,
            Over::StreamGone if joint.is_finished() => Parting::StreamGoneFinished,
            Over::StreamGone => Parting::StreamGone,
        };
        session.events().push(Event::Parted(stream, parting));
        match over {
            Over::Complete => {
                self.places.remove(&number);
                session.events().push(Event::HungUp(number));
            }
            Over::TargetBroke => {
                self.leftovers.insert(stream, joint.into_leftover());
                self.let_go(number, session);
            }
            Over::StreamGone => {
                session.reset(stream, 0);
                session.stop(stream, 0);
                place.moved_at = now;
                place.state = State::Lingering(joint.into_unsent());
                self.look_later(now);
                self.enqueue(number);
            }
        }
    }

    /// Breaks off a target, and tells that its descriptor is free.
    fn let_go(&mut self, number: TargetNumber, session: &mut Session) {
        if let Some(place) = self.places.remove(&number) {
            place.target.reset();
            session.events().push(Event::HungUp(number));
        }
    }

    fn look_later(&mut self, now: Instant) {
        self.next_look.get_or_insert(now + LOOK);
    }

    /// Gives up who has been half closed, or has lingered, for too long.
    fn look(&mut self, session: &mut Session, now: Instant) {
        if self.next_look.is_none_or(|at| at > now) {
            return;
        }
        self.next_look = None;
        let numbers: Vec<TargetNumber> = self.places.keys().copied().collect();
        for number in numbers {
            let Some(place) = self.places.get_mut(&number) else {
                continue;
            };
            let limit = match &place.state {
                State::Joined(joint) if joint.is_half_closed() => HALF_CLOSED,
                State::Lingering(_) => LINGER,
                _ => continue,
            };
            self.next_look = Some(now + LOOK);
            if now.saturating_duration_since(place.moved_at) < limit {
                continue;
            }
            match place.state {
                State::Lingering(_) => self.let_go(number, session),
                // Its peer is told of the break, as of any that comes from the target's side.
                _ => self.part(number, Over::TargetBroke, session, now),
            }
        }
    }
}

impl Drop for Splices {
    /// An end would say that all was said.
    fn drop(&mut self) {
        self.break_all();
    }
}
