//! What each of many streams gets of a connection that cannot carry what all would send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use support::{End, Pair};

const MINUTE: Duration = Duration::from_secs(60);
const CHUNK: usize = 16 * 1024;
/// Chunks that a runtime reads from a socket before it looks at the next.
const READS: usize = 32;

/// Streams of the server's that send without end, in chunks of this length, as a relay does: what is left of a chunk
/// waits until the engine says that it may go on. The client reads all that comes.
struct Senders {
    streams: Vec<u32>,
    chunks: Vec<Vec<u8>>,
    /// Of each stream's chunk.
    left: Vec<usize>,
    sent: Vec<usize>,
}

impl Senders {
    fn new(pair: &mut Pair, chunks: &[usize]) -> Self {
        let streams: Vec<u32> = chunks.iter().map(|_| pair.server.open().unwrap()).collect();
        Self {
            chunks: chunks.iter().map(|length| vec![7; *length]).collect(),
            left: chunks.to_vec(),
            sent: vec![0; streams.len()],
            streams,
        }
    }

    /// Writes chunk after chunk while they are taken, so many at most.
    fn write(&mut self, pair: &mut Pair, at: usize, most: usize) {
        for _ in 0..most {
            let chunk = &self.chunks[at];
            let taken = pair.write(End::Server, self.streams[at], &chunk[..self.left[at]]);
            self.sent[at] += taken;
            self.left[at] -= taken;
            if self.left[at] > 0 {
                return;
            }
            self.left[at] = chunk.len();
        }
    }

    /// All that wait go on as the engine says, and all others write on. The client reads what has come.
    fn go_on(&mut self, pair: &mut Pair) {
        while let Some(stream) = pair.server.next_writable() {
            if let Some(at) = self.streams.iter().position(|each| *each == stream) {
                self.write(pair, at, 1);
            }
        }
        for at in 0..self.streams.len() {
            if self.left[at] == self.chunks[at].len() {
                self.write(pair, at, READS);
            }
        }
        let mut read = Vec::new();
        for stream in &self.streams {
            pair.read_all(End::Client, *stream, &mut read);
        }
    }

    fn run(&mut self, pair: &mut Pair, total: usize) {
        pair.run(MINUTE, |pair| {
            self.go_on(pair);
            self.sent.iter().sum::<usize>() > total
        });
    }

    /// What the one that has sent least has of the mean.
    fn least_share(&self) -> f64 {
        let mean = self.sent.iter().sum::<usize>() as f64 / self.sent.len() as f64;
        *self.sent.iter().min().unwrap() as f64 / mean
    }
}

/// What the stream that gets least has of the mean, where streams send chunks of these lengths.
fn least_share_of(chunks: &[usize]) -> f64 {
    let mut pair = Pair::new();
    pair.connect();
    let mut senders = Senders::new(&mut pair, chunks);
    senders.run(&mut pair, 60 << 20);
    senders.least_share()
}

#[test]
fn streams_that_wait_for_room_have_equal_shares() {
    let share = least_share_of(&[CHUNK; 60]);
    assert!(share > 0.9, "{share}");
}

#[test]
fn who_has_more_at_hand_has_no_larger_share() {
    let mut chunks = [CHUNK; 20];
    chunks[3] = 1 << 20;
    let share = least_share_of(&chunks);
    assert!(share > 0.9, "{share}");
}

#[test]
fn a_word_on_an_idle_stream_comes_before_those_that_send_all_the_time() {
    let mut pair = Pair::new();
    pair.connect();
    let mut senders = Senders::new(&mut pair, &[CHUNK; 60]);
    let quiet = pair.server.open().unwrap();
    senders.run(&mut pair, 10 << 20);
    for _ in 0..20 {
        assert_eq!(pair.write(End::Server, quiet, b"a word"), 0);
        let mut before = 0;
        pair.run(MINUTE, |pair| {
            while let Some(stream) = pair.server.next_writable() {
                if stream == quiet {
                    return true;
                }
                before += 1;
                let at = senders.streams.iter().position(|each| *each == stream).unwrap();
                senders.write(pair, at, 1);
            }
            false
        });
        assert!(before < 6, "{before}");
        assert_eq!(pair.write(End::Server, quiet, b"a word"), 6);
        senders.go_on(&mut pair);
    }
}

#[test]
fn each_has_its_part_of_a_turn_whatever_room_there_is() {
    let mut pair = Pair::new();
    pair.connect();
    let mut senders = Senders::new(&mut pair, &[CHUNK; 20]);
    senders.run(&mut pair, 20 << 20);
    let room = 512 << 10;
    pair.pass(Duration::from_secs(2));
    let greedy = pair.server.open().unwrap();
    let taken = pair.write(End::Server, greedy, &vec![7; room]);
    assert!(taken > 0 && taken <= room / 2, "{taken}");
    assert_eq!(pair.write(End::Server, greedy, b"in the same turn"), 0);
    pair.run(MINUTE, |pair| {
        std::iter::from_fn(|| pair.server.next_writable()).any(|stream| stream == greedy)
    });
    assert!(pair.write(End::Server, greedy, b"in the next") > 0);
}

#[test]
fn one_stream_alone_writes_as_much_as_there_is_room_for() {
    let mut pair = Pair::new();
    pair.connect();
    let stream = pair.server.open().unwrap();
    let all = vec![7; 4 << 20];
    let written = pair.write(End::Server, stream, &all);
    assert!(written > 512 << 10, "{written}");
}
