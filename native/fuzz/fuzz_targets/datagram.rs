//! Datagrams of any bytes, at any moment of a handshake and behind it: neither end may panic, and between two ends that
//! are otherwise left alone nothing but a close may come of it.
#![no_main]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use support::{End, Pair};

fuzz_target!(|data: &[u8]| {
    let mut pair = Pair::new();
    let mut rest = data;
    // Each piece: a byte that says where it goes and what happens first, its length (16 bits), its bytes.
    while let [control, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (bytes, next) = after.split_at(length);
        rest = next;
        if control & 2 != 0 {
            pair.pass(Duration::from_millis(u64::from(control >> 2)));
        }
        let end = if control & 1 == 0 { End::Client } else { End::Server };
        pair.inject(end, bytes);
        pair.transmit();
    }
});
