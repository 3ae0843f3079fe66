//! A turn of all targets: who has changed, who moves what, and what that brings to an end.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::Splices;
use super::joint::{Means, NO_ERROR, Next, Over};
use super::place::State;
use super::waiting::Waiting;
use crate::events::{Event, Parting, StreamNumber, TargetNumber};
use crate::session::Session;

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

impl Splices {
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
                    joint.pump(Means {
                        target: &place.target,
                        session,
                        buffer: buffer.get_mut(..size).unwrap_or_default(),
                        budget: PART,
                    })
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
    pub(super) fn part(&mut self, number: TargetNumber, over: Over, session: &mut Session, now: Instant) {
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
                session.reset(stream, NO_ERROR);
                session.stop(stream, NO_ERROR);
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
