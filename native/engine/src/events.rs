//! What happened, in the order in which it did, for JavaScript to take in batches.

use std::collections::VecDeque;

/// A stream's number. QUIC's go further (62 bits), but no connection lives for 2^30 streams of one kind.
pub type StreamNumber = u32;

/// A target's number, of which a session uses each once.
pub type TargetNumber = u32;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The handshake is done and the peer's certificate is the pinned one.
    Connected,
    /// The connection is over; the close reason says why.
    Closed,
    /// The peer has opened a stream, which may be readable.
    Opened(StreamNumber),
    /// A stream has bytes or its end to read.
    Readable(StreamNumber),
    /// All of a finished stream is acknowledged.
    Finished(StreamNumber),
    /// The peer wants no more of a stream (STOP_SENDING), with its code.
    Stopped(StreamNumber, u32),
    /// The peer gave a stream up (RESET_STREAM), with its code; what was unread is gone.
    Reset(StreamNumber, u32),
    /// The peer allows more streams.
    Available,
    /// QUIC datagrams wait to be read.
    Datagrams,
    /// A datagram that found no room would find some now.
    DatagramRoom,
    /// UDP packets that are not the session's wait to be read.
    Packets,
    /// A target is connected.
    Dialled(TargetNumber),
    /// It cannot be.
    Undialled(TargetNumber, Failure),
    /// A stream is joined with its target no more.
    Parted(StreamNumber, Parting),
    /// A target that was joined with a stream is closed.
    HungUp(TargetNumber),
}

/// Why a target cannot be reached, as far as its peer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens there.
    Refused,
    /// There is no way to its network.
    NetworkUnreachable,
    /// There is no way to it.
    HostUnreachable,
    /// It does not answer.
    TimedOut,
    /// This machine has no address of its kind.
    NoAddress,
    /// The system does not allow it.
    NotAllowed,
    /// Its kind of address is none that the system knows.
    UnknownFamily,
    /// There are no descriptors, buffers or memory left.
    Exhausted,
    /// Anything else.
    Other,
}

/// Why a stream is joined with its target no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// Both directions have ended.
    Complete,
    /// The target broke off; the stream is JavaScript's again, and what the joint left of it is to be taken.
    TargetBroke,
    /// The stream was given up, by whomever.
    StreamGone,
    /// It was, after this end had finished its direction.
    StreamGoneFinished,
}

/// Numbers of an encoded event.
pub const EVENT_WORDS: usize = 3;

impl Event {
    /// Kind, stream and code.
    pub fn encode(self) -> [u32; EVENT_WORDS] {
        match self {
            Self::Connected => [1, 0, 0],
            Self::Closed => [2, 0, 0],
            Self::Opened(stream) => [3, stream, 0],
            Self::Readable(stream) => [4, stream, 0],
            Self::Finished(stream) => [5, stream, 0],
            Self::Stopped(stream, code) => [6, stream, code],
            Self::Reset(stream, code) => [7, stream, code],
            Self::Available => [8, 0, 0],
            Self::Datagrams => [9, 0, 0],
            Self::DatagramRoom => [10, 0, 0],
            Self::Packets => [11, 0, 0],
            Self::Dialled(target) => [12, target, 0],
            Self::Undialled(target, failure) => [13, target, failure as u32],
            Self::Parted(stream, parting) => [14, stream, parting as u32],
            Self::HungUp(target) => [15, target, 0],
        }
    }
}

/// Events that wait. Bounded by the packets of a turn: no more are received before these are taken.
#[derive(Debug, Default)]
pub struct Events(VecDeque<Event>);

impl Events {
    /// Adds one.
    pub fn push(&mut self, event: Event) {
        self.0.push_back(event);
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Event> {
        self.0.pop_front()
    }

    /// Writes as many as there is room for, [`EVENT_WORDS`] each, and gives their number.
    pub fn take(&mut self, out: &mut [u32]) -> usize {
        let (slots, _) = out.as_chunks_mut::<EVENT_WORDS>();
        let mut taken = 0;
        for slot in slots {
            let Some(event) = self.0.pop_front() else {
                break;
            };
            *slot = event.encode();
            taken += 1;
        }
        taken
    }
}
