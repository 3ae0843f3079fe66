//! What happened, in the order in which it did, for JavaScript to take in batches.

use std::collections::VecDeque;

/// A stream's number. QUIC's go further (62 bits), but no connection lives for 2^30 streams of one kind.
pub type StreamNumber = u32;

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
