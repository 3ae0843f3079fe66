//! BBR over simulated paths: two real quinn-proto endpoints in memory, a virtual clock and a link
//! with delay, loss, a bottleneck and its queue. What is tested is what ships, pacer and
//! acknowledgements included; no test waits or depends on the machine's speed.
//!
//! `cargo test -p congestion --test simulation -- --nocapture` prints every figure.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod application;
mod change;
mod hostile;
mod sharing;
mod sim;
mod throughput;
