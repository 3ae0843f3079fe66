//! Startup and Drain, sections 5.3.1 and 5.3.2.

use std::time::Instant;

use super::{Bbr, State};
use crate::{delivery::RateSample, long_term::is_inflight_too_high};

/// BBRStartupFullLossCnt
const FULL_LOSS_COUNT: u32 = 6;
/// Drain gives up after as many round trips.
const DRAIN_ROUNDS: u64 = 3;

impl Bbr {
    /// EnterStartup()
    pub(super) fn enter_startup(&mut self) {
        self.state = State::Startup;
    }

    /// CheckStartupDone() (5.3.1.1)
    pub(super) fn check_startup_done(&mut self, sample: &RateSample) {
        if self.state != State::Startup {
            return;
        }
        self.check_startup_high_loss(sample);
        if self.full_pipe.reached {
            self.state = State::Drain;
            self.drain_start_round = self.round.count;
        }
    }

    /// CheckStartupHighLoss() (5.3.1.3). A loss round begins with the first loss, so that one has
    /// ended means that the flow was in recovery for all of it. One acknowledgement's losses stand
    /// for one of the draft's discontiguous ranges, and as many CE marks for a high loss rate (3.7).
    fn check_startup_high_loss(&mut self, sample: &RateSample) {
        let many = self.short_term.loss_events >= FULL_LOSS_COUNT;
        let threshold = self.background.threshold(sample.tx_in_flight);
        let high = is_inflight_too_high(sample.lost, sample.tx_in_flight, threshold);
        if self.short_term.loss_round_start && many && (high || self.short_term.is_marked) {
            self.full_pipe.reached = true;
            self.long_term.inflight = self.bdp().max(self.short_term.inflight_latest);
        }
    }

    /// CheckDrainDone() (5.3.2)
    pub(super) fn check_drain_done(&mut self, now: Instant) {
        let limit = self.drain_start_round.saturating_add(DRAIN_ROUNDS);
        if self.state == State::Drain
            && (self.sampler.inflight <= self.inflight(self.bw) || self.round.count > limit)
        {
            self.start_probe_bw_down(now);
        }
    }
}
