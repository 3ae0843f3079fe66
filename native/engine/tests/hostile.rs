//! Packets that nobody should send: at random, and made from good ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use engine::events::Event;
use support::{End, Pair, Random, bytes};

#[test]
fn garbage_changes_nothing() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut pair = Pair::new();
    for round in 0..3 {
        for _ in 0..2_000 {
            let length = [0, 1, 20, 100, 1200, 1500, 65_000][random.below(7)];
            let mut garbage = bytes(length, random.next() | 1);
            if let Some(first) = garbage.first_mut() {
                *first |= 0x40;
            }
            let end = if random.below(2) == 0 {
                End::Client
            } else {
                End::Server
            };
            pair.inject(end, &garbage);
        }
        if round == 0 {
            pair.connect();
        }
    }
    assert_eq!(
        (pair.client.close_reason(), pair.server.close_reason()),
        (None, None)
    );
    carries(&mut pair);
}

/// Good packets, each sent again with some bits, bytes or lengths changed: a session goes on beside them.
#[test]
fn changed_copies_of_good_packets_change_nothing() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let mut pair = Pair::new();
    let copies = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let seen = copies.clone();
    pair.fate = Box::new(move |_, to, bytes| {
        seen.borrow_mut().push((to, bytes.clone()));
        true
    });
    for _ in 0..40 {
        pair.pass(Duration::from_millis(7));
        if pair.client_events.contains(&Event::Connected) && pair.server_events.contains(&Event::Connected) {
            pair.client.ping();
            pair.server.ping();
        }
        let taken: Vec<_> = copies.borrow_mut().drain(..).collect();
        for (to, packet) in taken {
            for _ in 0..8 {
                pair.inject(to, &mutate(&packet, &mut random));
            }
        }
    }
    pair.fate = Box::new(|_, _, _| true);
    assert_eq!(
        (pair.client.close_reason(), pair.server.close_reason()),
        (None, None)
    );
    carries(&mut pair);
}

/// Good packets, again and out of order.
#[test]
fn old_packets_change_nothing() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut pair = Pair::new();
    let copies = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let seen = copies.clone();
    pair.fate = Box::new(move |_, to, bytes| {
        seen.borrow_mut().push((to, bytes.clone()));
        true
    });
    pair.connect();
    carries(&mut pair);
    let old = copies.borrow().clone();
    for _ in 0..2_000 {
        let (to, packet) = &old[random.below(old.len())];
        pair.inject(*to, packet);
    }
    assert_eq!(
        (pair.client.close_reason(), pair.server.close_reason()),
        (None, None)
    );
    carries(&mut pair);
}

fn carries(pair: &mut Pair) {
    let stream = pair.server.open().unwrap();
    let sent = bytes(50_000, 5);
    assert_eq!(pair.write(End::Server, stream, &sent), sent.len());
    assert!(pair.server.finish_stream(stream));
    let mut received = Vec::new();
    pair.run(Duration::from_secs(60), |pair| {
        pair.read_all(End::Client, stream, &mut received)
    });
    assert!(received == sent);
}

fn mutate(packet: &[u8], random: &mut Random) -> Vec<u8> {
    let mut copy = packet.to_vec();
    match random.below(5) {
        0 => copy.truncate(random.below(packet.len())),
        1 => copy.extend(bytes(random.below(200), random.next() | 1)),
        2 => {
            let at = random.below(copy.len());
            copy[at] = random.next() as u8;
        }
        // The header, where lengths and versions are.
        3 => {
            let at = random.below(copy.len().min(40));
            copy[at] ^= 1 << random.below(8);
        }
        _ => {
            let half = random.below(copy.len());
            copy.rotate_left(half);
        }
    }
    copy
}
