//! BBR.inflight_longterm: the volume in flight that the path was seen to bear,
//! draft-ietf-ccwg-bbr sections 5.3.3.5, 5.3.3.9 and 5.5.10.2.

use crate::{
    flights::Flight,
    units::{INFINITY, scale},
};

/// BBR.LossThresh
pub(crate) const LOSS_THRESH: f64 = 0.02;
/// BBR.Headroom
const HEADROOM: f64 = 0.15;
/// Growth doubles each round of ProbeBW_UP, this often at most.
const MAX_PROBE_UP_ROUNDS: u32 = 30;

/// The bound and its growth in ProbeBW_UP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LongTerm {
    /// BBR.inflight_longterm, bytes.
    pub(crate) inflight: u64,
    bw_probe_up_acked: u64,
    probe_up_acked_per_inc: u64,
    bw_probe_up_rounds: u32,
    /// BBR.prev_probe_too_high
    pub(crate) prev_probe_too_high: bool,
    /// BBR.prev_probe_precautionary
    pub(crate) prev_probe_precautionary: bool,
}

impl LongTerm {
    pub(crate) fn new() -> Self {
        Self {
            inflight: INFINITY,
            bw_probe_up_acked: 0,
            probe_up_acked_per_inc: INFINITY,
            bw_probe_up_rounds: 0,
            prev_probe_too_high: false,
            prev_probe_precautionary: false,
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.inflight != INFINITY
    }

    /// InflightWithHeadroom()
    pub(crate) fn with_headroom(&self, smss: u64, min_pipe: u64) -> u64 {
        if !self.is_set() {
            return INFINITY;
        }
        let headroom = scale(self.inflight, HEADROOM).max(smss);
        self.inflight.saturating_sub(headroom).max(min_pipe)
    }

    /// The bound does not grow outside of ProbeBW_UP.
    pub(crate) fn stop_growth(&mut self) {
        self.probe_up_acked_per_inc = INFINITY;
    }

    pub(crate) fn start_refill(&mut self) {
        self.bw_probe_up_rounds = 0;
        self.bw_probe_up_acked = 0;
        self.prev_probe_precautionary = false;
    }

    /// RaiseInflightLongtermSlope()
    pub(crate) fn raise_slope(&mut self, cwnd: u64, smss: u64) {
        let growth = 1_u64
            .checked_shl(self.bw_probe_up_rounds)
            .unwrap_or(INFINITY)
            .max(1);
        let rounds = self.bw_probe_up_rounds.saturating_add(1);
        self.bw_probe_up_rounds = rounds.min(MAX_PROBE_UP_ROUNDS);
        self.probe_up_acked_per_inc = cwnd.checked_div(growth).unwrap_or(cwnd).max(smss);
    }

    /// ProbeInflightLongtermUpward(), where the window is what limits the flow.
    pub(crate) fn grow(&mut self, acked: u64, smss: u64) {
        self.bw_probe_up_acked = self.bw_probe_up_acked.saturating_add(acked);
        let steps = self
            .bw_probe_up_acked
            .checked_div(self.probe_up_acked_per_inc)
            .unwrap_or(0);
        if steps > 0 {
            let used = steps.saturating_mul(self.probe_up_acked_per_inc);
            self.bw_probe_up_acked = self.bw_probe_up_acked.saturating_sub(used);
            self.inflight = self.inflight.saturating_add(steps.saturating_mul(smss));
        }
    }
}

/// IsInflightTooHigh(): whether more than `threshold` of what was in flight got lost.
pub(crate) fn is_inflight_too_high(lost: u64, tx_in_flight: u64, threshold: f64) -> bool {
    lost as f64 > tx_in_flight as f64 * threshold
}

/// InflightAtLoss(): the volume in flight at which the losses of `flight` crossed `threshold`.
/// `size` is the part of the losses that came with this news of them.
pub(crate) fn inflight_at_loss(flight: &Flight, lost: u64, size: u64, threshold: f64) -> u64 {
    let inflight_prev = flight.tx_in_flight.saturating_sub(size);
    let lost_prev = lost.saturating_sub(size);
    let prefix = (threshold * inflight_prev as f64 - lost_prev as f64) / (1.0 - threshold);
    inflight_prev.saturating_add(prefix.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_doubling_steps() {
        let mut bound = LongTerm::new();
        bound.inflight = 100_000;
        bound.start_refill();
        let mut gains = Vec::new();
        for _ in 0..4 {
            let before = bound.inflight;
            bound.raise_slope(100_000, 1000);
            bound.grow(100_000, 1000);
            gains.push(bound.inflight - before);
        }
        assert_eq!(gains, [1000, 2000, 4000, 8000]);
    }

    #[test]
    fn leaves_headroom_but_never_less_than_the_pipe() {
        let mut bound = LongTerm::new();
        assert_eq!(bound.with_headroom(1000, 4000), INFINITY);
        bound.inflight = 100_000;
        assert_eq!(bound.with_headroom(1000, 4000), 85_000);
        bound.inflight = 0;
        assert_eq!(bound.with_headroom(1000, 4000), 4000);
    }
}
