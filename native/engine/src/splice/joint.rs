//! One stream joined with one target: what comes in on either goes out on the other.
//!
//! Each direction ends by itself (half-close). Neither side is read while what it said before waits for the other, so
//! that a slow reader slows its writer down and no more than one read's worth waits here.

use super::waiting::Waiting;
use crate::events::StreamNumber;
use crate::session::{Read, Session, Write};
use crate::target::Target;

/// Why a joint is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Both directions have ended, and each end was passed on.
    Complete,
    /// The target broke off. What it said before is written to the stream.
    TargetBroke,
    /// The peer gave the stream up, or its break was reached.
    StreamGone,
}

/// Whether a joint has something left to move that nothing need be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Again,
    Wait,
}

/// What a joint moves bytes with.
pub(super) struct Means<'a> {
    pub(super) target: &'a Target,
    pub(super) session: &'a mut Session,
    /// As long as one read.
    pub(super) buffer: &'a mut [u8],
    /// Bytes that may be moved each way.
    pub(super) budget: usize,
}

/// What a joint leaves behind when its target breaks off; the stream goes on without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftover {
    /// Bytes that the joint read of the stream, its end counted as one.
    pub read: u64,
    /// Bytes that it wrote to the stream, the end counted as one.
    pub written: u64,
    /// The peer's end of the stream was read.
    pub ended: bool,
    /// This end of the stream was finished.
    pub finished: bool,
}

/// From the stream to the target.
#[derive(Default)]
struct Up {
    waiting: Waiting,
    /// Bytes read of the stream, its end counted as one.
    read: u64,
    ended: bool,
    /// The end was passed on.
    done: bool,
    /// The target takes nothing more: what comes is lost. What it said before can still be read.
    refused: bool,
    /// The peer has ended the stream and forgotten to say so: what is here is all there is.
    end_found: bool,
    /// Where the peer breaks off.
    break_at: Option<u64>,
}

/// From the target to the stream.
#[derive(Default)]
struct Down {
    waiting: Waiting,
    /// Bytes written to the stream, the end counted as one.
    written: u64,
    ended: bool,
    done: bool,
    /// The peer takes nothing more (STOP_SENDING): what the target says is lost. What the peer says still goes to the
    /// target.
    refused: bool,
}

pub(super) struct Joint {
    pub(super) stream: StreamNumber,
    up: Up,
    down: Down,
}

impl Joint {
    /// `up` and `down` were read before, on either side, and go first; `ended`: so was the stream's end.
    pub(super) fn new(stream: StreamNumber, up: &[u8], down: &[u8], ended: bool) -> Self {
        Self {
            stream,
            up: Up {
                waiting: Waiting::keep(up),
                read: ended.into(),
                ended,
                ..Up::default()
            },
            down: Down {
                waiting: Waiting::keep(down),
                ..Down::default()
            },
        }
    }

    /// The peer breaks off behind so many bytes of what the joint reads, an end counted as one.
    pub(super) fn break_at(&mut self, at: u64) {
        self.up.break_at = Some(at);
    }

    pub(super) fn end_found(&mut self) {
        self.up.end_found = true;
    }

    /// The peer takes nothing more. Behind this end's own that says nothing.
    pub(super) fn refuse(&mut self, session: &mut Session) {
        if !self.down.done {
            self.down.refuse(self.stream, session);
        }
    }

    /// The peer was told of that by a reset, and can be told of no break any more.
    pub(super) fn is_refused(&self) -> bool {
        self.down.refused
    }

    /// One direction has ended and the other is silent, unless it waits for somebody slow.
    pub(super) fn is_half_closed(&self) -> bool {
        (self.up.done || self.down.done) && self.up.waiting.is_empty() && self.down.waiting.is_empty()
    }

    /// Bytes moved so far, both ways.
    pub(super) fn moved(&self) -> u64 {
        self.up.read.saturating_add(self.down.written)
    }

    /// This end of the stream was finished, and the peer has not refused it.
    pub(super) fn is_finished(&self) -> bool {
        self.down.done && !self.down.refused
    }

    /// What the target has not taken yet.
    pub(super) fn into_unsent(self) -> Waiting {
        if self.up.refused {
            Waiting::default()
        } else {
            self.up.waiting
        }
    }

    pub(super) fn into_leftover(self) -> Leftover {
        Leftover {
            read: self.up.read,
            written: self.down.written,
            ended: self.up.ended,
            finished: self.down.done,
        }
    }

    /// Moves what there is, both ways.
    pub(super) fn pump(&mut self, mut means: Means<'_>) -> Result<Next, Over> {
        let up = self.pump_up(&mut means)?;
        let down = self.pump_down(&mut means)?;
        if self.up.done && self.down.done {
            return Err(Over::Complete);
        }
        if self.up.refused && self.down.done {
            return Err(Over::TargetBroke);
        }
        if self.up.done && self.down.refused {
            return Err(Over::StreamGone);
        }
        Ok(if up == Next::Again || down == Next::Again {
            Next::Again
        } else {
            Next::Wait
        })
    }

    fn pump_up(&mut self, means: &mut Means<'_>) -> Result<Next, Over> {
        let Means {
            target,
            session,
            buffer,
            budget,
        } = means;
        let Self { stream, up, .. } = self;
        let mut left = *budget;
        loop {
            if up.is_broken() {
                return Err(Over::StreamGone);
            }
            if up.done || !up.flush(target) {
                return Ok(Next::Wait);
            }
            if up.ended {
                target.end();
                up.done = true;
                continue;
            }
            if left == 0 {
                return Ok(Next::Again);
            }
            let Read::Bytes { count, mut end } = session.read(*stream, buffer) else {
                return Err(Over::StreamGone);
            };
            if count == 0 && !end && up.end_found {
                session.stop(*stream, NO_ERROR);
                end = true;
            }
            up.read = up.read.saturating_add(count as u64 + u64::from(end));
            up.ended = end;
            left = left.saturating_sub(count);
            let bytes = buffer.get(..count).unwrap_or_default();
            let sent = up.send(target, bytes);
            up.waiting = Waiting::keep(bytes.get(sent..).unwrap_or_default());
            if count < buffer.len() && !end && !up.end_found && !up.is_broken() {
                return Ok(Next::Wait);
            }
        }
    }

    fn pump_down(&mut self, means: &mut Means<'_>) -> Result<Next, Over> {
        let Means {
            target,
            session,
            buffer,
            budget,
        } = means;
        let Self { stream, up, down } = self;
        let mut left = *budget;
        loop {
            if down.done || !down.flush(*stream, session) {
                return Ok(Next::Wait);
            }
            if down.ended && up.refused {
                return Err(Over::TargetBroke);
            }
            if down.ended {
                if !down.refused && !session.finish_stream(*stream) {
                    down.refuse(*stream, session);
                }
                down.written = down.written.saturating_add(1);
                down.done = true;
                continue;
            }
            if left == 0 {
                return Ok(Next::Again);
            }
            let count = match target.read(buffer) {
                Ok(Some(count)) => count,
                Ok(None) => return Ok(Next::Wait),
                Err(_) => return Err(Over::TargetBroke),
            };
            down.ended = count == 0;
            left = left.saturating_sub(count);
            let bytes = buffer.get(..count).unwrap_or_default();
            let sent = down.send(*stream, session, bytes);
            down.waiting = Waiting::keep(bytes.get(sent..).unwrap_or_default());
        }
    }
}

impl Up {
    /// All that comes before the peer's break was read.
    fn is_broken(&self) -> bool {
        self.break_at.is_some_and(|at| self.read >= at)
    }

    /// Whether nothing waits any more.
    fn flush(&mut self, target: &Target) -> bool {
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let sent = self.send(target, waiting.rest());
            self.waiting = waiting.after(sent);
        }
        self.waiting.is_empty()
    }

    /// How much the target took; everything is taken, and lost, once it refuses.
    fn send(&mut self, target: &Target, bytes: &[u8]) -> usize {
        if self.refused || bytes.is_empty() {
            return bytes.len();
        }
        target.write(bytes).unwrap_or_else(|_| {
            self.refused = true;
            bytes.len()
        })
    }
}

impl Down {
    /// Whether nothing waits any more.
    fn flush(&mut self, stream: StreamNumber, session: &mut Session) -> bool {
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let sent = self.send(stream, session, waiting.rest());
            self.waiting = waiting.after(sent);
        }
        self.waiting.is_empty()
    }

    /// How much the stream took; everything is taken, and lost, once the peer refuses.
    fn send(&mut self, stream: StreamNumber, session: &mut Session, bytes: &[u8]) -> usize {
        if self.refused || bytes.is_empty() {
            return bytes.len();
        }
        match session.write(stream, bytes) {
            Write::Taken(count) => {
                self.written = self.written.saturating_add(count as u64);
                count
            }
            Write::Stopped | Write::Gone => {
                self.refuse(stream, session);
                bytes.len()
            }
        }
    }

    /// What waits is lost, too. Without the reset the session would keep the stream for more of ours.
    fn refuse(&mut self, stream: StreamNumber, session: &mut Session) {
        self.refused = true;
        self.waiting = Waiting::default();
        session.reset(stream, NO_ERROR);
    }
}

pub(super) const NO_ERROR: u32 = 0;
