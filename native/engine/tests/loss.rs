//! The loss of any one packet of a session, each in turn, loses nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use support::{End, Pair, bytes};

const QUESTION: usize = 40_000;
const ANSWER: usize = 60_000;

/// A handshake, three streams that are asked and answered at once, and a close; true for each packet that is lost.
fn session(lost: impl Fn(usize) -> bool + 'static) -> usize {
    let mut pair = Pair::new();
    pair.fate = Box::new(move |number, _, _| !lost(number));
    pair.connect();
    let streams: Vec<u32> = (0..3).map(|_| pair.server.open().unwrap()).collect();
    for &stream in &streams {
        assert_eq!(
            pair.write(End::Server, stream, &bytes(QUESTION, stream.into())),
            QUESTION
        );
        assert!(pair.server.finish_stream(stream));
    }
    let mut asked = vec![Vec::new(); 3];
    let mut answered = vec![Vec::new(); 3];
    let (mut heard, mut done) = ([false; 3], [false; 3]);
    pair.run(Duration::from_secs(60), |pair| {
        for (index, &stream) in streams.iter().enumerate() {
            if !heard[index] && pair.read_all(End::Client, stream, &mut asked[index]) {
                heard[index] = true;
                assert_eq!(
                    pair.write(End::Client, stream, &bytes(ANSWER, stream.into())),
                    ANSWER
                );
                assert!(pair.client.finish_stream(stream));
            }
            done[index] = done[index] || pair.read_all(End::Server, stream, &mut answered[index]);
        }
        done.iter().all(|done| *done)
    });
    for (index, &stream) in streams.iter().enumerate() {
        assert!(asked[index] == bytes(QUESTION, stream.into()));
        assert!(answered[index] == bytes(ANSWER, stream.into()));
    }
    assert_eq!(
        (pair.client.close_reason(), pair.server.close_reason()),
        (None, None)
    );
    pair.sent
}

#[test]
fn any_single_packet_may_be_lost() {
    let whole = session(|_| false);
    assert!(whole > 200, "{whole}");
    for lost in 0..whole {
        session(move |number| number == lost);
    }
}

#[test]
fn any_two_packets_in_a_row_may_be_lost_and_every_tenth() {
    for lost in (0..200).step_by(3) {
        session(move |number| number == lost || number == lost + 1);
    }
    session(|number| number % 10 == 7);
}
