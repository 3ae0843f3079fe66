//! One direction of a path: a bottleneck with a bounded queue, random loss, delay, and slots in
//! which what arrives is handed over together.

use std::time::Duration;

use super::random::Dice;

/// What a link is like; it may change during a run.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Bits per second; 0 for no bottleneck.
    pub rate: u64,
    /// Bytes that wait for the bottleneck.
    pub queue: u64,
    /// Share of the packets lost at random, before the queue.
    pub loss: f64,
    /// One-way delay.
    pub delay: Duration,
    /// Delay that comes on top at random, up to this; nothing overtakes.
    pub jitter: Duration,
    /// What arrives is handed over at multiples of this; zero for at once.
    pub slot: Duration,
    /// A queue above this marks CE instead of waiting for loss; 0 for never.
    pub mark_above: u64,
}

impl Path {
    pub fn delay(ms: f64) -> Self {
        let delay = Duration::from_secs_f64(ms / 1e3);
        Self {
            rate: 0,
            queue: 0,
            loss: 0.0,
            delay,
            jitter: Duration::ZERO,
            slot: Duration::ZERO,
            mark_above: 0,
        }
    }

    /// `mbit` per second and a queue that takes `queue_ms` to drain.
    pub fn bottleneck(self, mbit: f64, queue_ms: f64) -> Self {
        let rate = (mbit * 1e6) as u64;
        Self {
            rate,
            queue: (mbit * 1e6 / 8.0 * queue_ms / 1e3) as u64,
            ..self
        }
    }

    pub fn loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }
}

/// What became of a packet.
pub struct Arrival {
    pub at: Duration,
    pub marked: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub lost_at_random: u64,
    pub dropped: u64,
    pub passed: u64,
    /// Time in the queue of each packet, in microseconds.
    pub queueing: Vec<u32>,
}

pub struct Link {
    pub path: Path,
    dice: Dice,
    busy_until: Duration,
    last_arrival: Duration,
}

impl Link {
    pub fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            dice: Dice::new(seed),
            busy_until: Duration::ZERO,
            last_arrival: Duration::ZERO,
        }
    }

    /// Sends `bytes` at `now`; `None` when they are lost. Nothing overtakes.
    pub fn send(&mut self, now: Duration, bytes: usize, counters: &mut Counters) -> Option<Arrival> {
        let Path {
            rate,
            queue,
            loss,
            delay,
            jitter,
            slot,
            mark_above,
        } = self.path;
        if loss > 0.0 && self.dice.falls(loss) {
            counters.lost_at_random += 1;
            return None;
        }
        let wait = self.busy_until.saturating_sub(now);
        let mut marked = false;
        let mut at = now + delay;
        if rate > 0 {
            let backlog = wait.as_secs_f64() * rate as f64 / 8.0;
            if backlog + bytes as f64 > queue as f64 {
                counters.dropped += 1;
                return None;
            }
            marked = mark_above > 0 && backlog > mark_above as f64;
            self.busy_until = now + wait + Duration::from_secs_f64(bytes as f64 * 8.0 / rate as f64);
            at = self.busy_until + delay;
        }
        counters.passed += 1;
        counters
            .queueing
            .push(u32::try_from(wait.as_micros()).unwrap_or(u32::MAX));
        if !jitter.is_zero() {
            at += jitter.mul_f64((self.dice.bits() >> 11) as f64 / (1_u64 << 53) as f64);
        }
        if !slot.is_zero() {
            let slots = at.as_nanos().div_ceil(slot.as_nanos());
            at = Duration::from_nanos(u64::try_from(slots * slot.as_nanos()).expect("a short run"));
        }
        self.last_arrival = self.last_arrival.max(at);
        Some(Arrival {
            at: self.last_arrival,
            marked,
        })
    }
}
