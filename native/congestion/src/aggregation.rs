//! How many bytes acknowledgements bring at once, draft-ietf-ccwg-bbr section 5.5.9.

use std::time::Instant;

use crate::{filters::WindowedMax, units};

/// BBR.ExtraAckedFilterLen, in round trips.
const FILTER_LEN: u64 = 10;

/// The estimate of aggregation: bytes acknowledged beyond what the bandwidth explains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aggregation {
    interval_start: Instant,
    delivered: u64,
    filter: WindowedMax,
}

impl Aggregation {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            interval_start: now,
            delivered: 0,
            filter: WindowedMax::default(),
        }
    }

    /// A pause of the application is no aggregation (5.4.1).
    pub(crate) fn on_idle_restart(&mut self, now: Instant) {
        self.interval_start = now;
        self.delivered = 0;
    }

    /// UpdateACKAggregation()
    pub(crate) fn update(&mut self, now: Instant, bw: u64, acked: u64, cwnd: u64, round: Round) {
        let interval = now.saturating_duration_since(self.interval_start);
        let mut expected = units::volume(bw, interval);
        if self.delivered <= expected {
            self.delivered = 0;
            self.interval_start = now;
            expected = 0;
        }
        self.delivered = self.delivered.saturating_add(acked);
        let extra = self.delivered.saturating_sub(expected).min(cwnd);
        let window = if round.full_bw_reached { FILTER_LEN } else { 1 };
        self.filter.update(window, round.count, extra);
    }

    /// BBR.extra_acked, in bytes.
    pub(crate) fn extra_acked(&self) -> u64 {
        self.filter.get()
    }
}

/// What decides how long a sample is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) count: u64,
    pub(crate) full_bw_reached: bool,
}
