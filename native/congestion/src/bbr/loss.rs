//! The model's response to loss, CE marks and persistent congestion, sections 5.5.10 and 5.6.4.4.

use std::time::Instant;

use super::{Bbr, State};
use crate::{
    delivery::RateSample,
    flights::Flight,
    long_term::{LOSS_THRESH, inflight_at_loss, is_inflight_too_high},
    short_term::BETA,
    units::scale,
};

impl Bbr {
    /// UpdateCongestionSignals() (5.5.10.3)
    pub(super) fn update_congestion_signals(&mut self, now: Instant, sample: &RateSample) {
        self.update_max_bw(now, sample);
        if !self.short_term.loss_round_start {
            return;
        }
        if self.short_term.is_loss_in_round && !self.is_probing_bw() && self.is_congestion(sample) {
            self.short_term.lower_bounds(self.max_bw.get(), self.cwnd);
        }
        self.short_term.is_loss_in_round = false;
    }

    /// Whether the losses of the round that ended are more than the path's own. The draft says
    /// yes to any; so does this where there is a queue, and to any CE mark.
    fn is_congestion(&self, sample: &RateSample) -> bool {
        let excused = self.background.excused(sample.tx_in_flight);
        let tolerated = if self.background.has_queue {
            excused
        } else {
            LOSS_THRESH + excused
        };
        self.short_term.is_marked || is_inflight_too_high(sample.lost, sample.tx_in_flight, tolerated)
    }

    /// HandleLostPacket() (5.5.10.2) for all packets that one acknowledgement shows to be lost, of
    /// which the last was sent at `sent`; no bytes stand for a CE mark, which counts as
    /// congestion all the same (3.7).
    pub(super) fn handle_lost(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.enter_recovery(now, sent);
        self.background.on_lost(bytes);
        self.short_term.note_loss(self.sampler.delivered, bytes == 0);
        let Some(flight) = self.sampler.on_lost(sent, bytes) else {
            return;
        };
        if !self.is_bw_probe_sample {
            return;
        }
        let lost = self.sampler.lost.saturating_sub(flight.lost);
        if bytes == 0 {
            self.handle_inflight_too_high(now, &flight, flight.tx_in_flight);
            return;
        }
        let threshold = self.background.threshold(flight.tx_in_flight);
        if is_inflight_too_high(lost, flight.tx_in_flight, threshold) {
            let inflight = inflight_at_loss(&flight, lost, bytes, threshold);
            self.handle_inflight_too_high(now, &flight, inflight);
        }
    }

    /// HandleInflightTooHigh()
    fn handle_inflight_too_high(&mut self, now: Instant, flight: &Flight, inflight: u64) {
        self.long_term.prev_probe_too_high = true;
        self.is_bw_probe_sample = false;
        if !flight.is_app_limited {
            self.long_term.inflight = inflight.max(scale(self.target_inflight(), BETA));
        }
        if self.state == State::ProbeBwUp {
            self.start_probe_bw_down(now);
        }
    }

    /// OnEnterFastRecovery() (5.6.4.4): a recovery period begins with the loss of a packet that
    /// was sent after the last one began (RFC 9002, 7.3.2).
    fn enter_recovery(&mut self, now: Instant, sent: Instant) {
        if self.recovery_start.is_none_or(|start| sent > start) {
            self.save_cwnd();
            self.recovery_start = Some(now);
        }
    }

    /// … and ends when a packet that was sent after it began is acknowledged.
    pub(super) fn exit_recovery(&mut self, sent: Instant) {
        if self.recovery_start.is_some_and(|start| sent > start) {
            self.recovery_start = None;
            if self.state != State::ProbeRtt {
                self.restore_cwnd();
            }
        }
    }

    /// OnEnterRTO(): all of a long period was lost, so the window starts over.
    pub(super) fn on_persistent_congestion(&mut self) {
        self.cwnd = self.min_pipe_cwnd();
    }

    /// SaveCwnd()
    pub(super) fn save_cwnd(&mut self) {
        self.prior_cwnd = if self.recovery_start.is_none() && self.state != State::ProbeRtt {
            self.cwnd
        } else {
            self.prior_cwnd.max(self.cwnd)
        };
    }

    /// RestoreCwnd()
    pub(super) fn restore_cwnd(&mut self) {
        self.cwnd = self.cwnd.max(self.prior_cwnd);
    }
}
