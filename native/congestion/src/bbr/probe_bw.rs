//! ProbeBW, section 5.3.3: DOWN, CRUISE, REFILL, UP and round again.

use std::time::{Duration, Instant};

use super::{AckPhase, Bbr, State};
use crate::{delivery::RateSample, long_term::is_inflight_too_high, units::elapsed};

/// Bounds of T_bbr (5.3.3.8.2): two seconds, and up to one more at random.
const PROBE_WAIT: Duration = Duration::from_secs(2);
const PROBE_WAIT_SPREAD: f64 = 1.0;
/// Upper bound of T_reno, in round trips.
const RENO_ROUNDS: u64 = 63;

impl Bbr {
    /// IsInAProbeBWState()
    pub(super) fn is_in_a_probe_bw_state(&self) -> bool {
        use State::{ProbeBwCruise, ProbeBwDown, ProbeBwRefill, ProbeBwUp};
        matches!(
            self.state,
            ProbeBwDown | ProbeBwCruise | ProbeBwRefill | ProbeBwUp
        )
    }

    /// IsProbingBW()
    pub(super) fn is_probing_bw(&self) -> bool {
        matches!(
            self.state,
            State::Startup | State::ProbeBwRefill | State::ProbeBwUp
        )
    }

    /// StartProbeBW_DOWN()
    pub(super) fn start_probe_bw_down(&mut self, now: Instant) {
        self.short_term.reset_signals();
        self.long_term.stop_growth();
        self.pick_probe_wait();
        self.cycle_stamp = now;
        self.ack_phase = AckPhase::ProbeStopping;
        self.start_round();
        self.state = State::ProbeBwDown;
    }

    /// StartProbeBW_CRUISE()
    pub(super) fn start_probe_bw_cruise(&mut self) {
        self.state = State::ProbeBwCruise;
    }

    /// StartProbeBW_REFILL()
    fn start_probe_bw_refill(&mut self) {
        self.short_term.reset_bounds();
        self.long_term.start_refill();
        self.ack_phase = AckPhase::Refilling;
        self.start_round();
        self.state = State::ProbeBwRefill;
    }

    /// StartProbeBW_UP()
    fn start_probe_bw_up(&mut self, sample: &RateSample) {
        self.ack_phase = AckPhase::ProbeStarting;
        self.start_round();
        self.full_pipe.reset(sample.delivery_rate);
        self.state = State::ProbeBwUp;
        self.long_term.raise_slope(self.cwnd, self.smss);
    }

    /// UpdateProbeBWCyclePhase()
    pub(super) fn update_probe_bw_cycle_phase(&mut self, now: Instant, sample: &RateSample) {
        if !self.full_pipe.reached || self.adapt_long_term_model(sample) {
            return;
        }
        match self.state {
            State::ProbeBwDown => {
                if !self.check_time_to_probe_bw(now) && self.is_time_to_cruise() {
                    self.start_probe_bw_cruise();
                }
            }
            State::ProbeBwCruise => {
                self.check_time_to_probe_bw(now);
            }
            State::ProbeBwRefill => {
                if self.round.start {
                    self.is_bw_probe_sample = true;
                    self.start_probe_bw_up(sample);
                }
            }
            State::ProbeBwUp => {
                if self.is_time_to_go_down(sample) {
                    self.long_term.prev_probe_too_high = false;
                    self.start_probe_bw_down(now);
                }
            }
            State::Startup | State::Drain | State::ProbeRtt => {}
        }
    }

    /// AdaptLongTermModel(); true when it has decided a transition.
    fn adapt_long_term_model(&mut self, sample: &RateSample) -> bool {
        if self.ack_phase == AckPhase::ProbeStarting && self.round.start {
            self.ack_phase = AckPhase::ProbeFeedback;
        }
        if self.ack_phase == AckPhase::ProbeStopping && self.round.start {
            self.is_bw_probe_sample = false;
            self.ack_phase = AckPhase::Init;
            if self.is_in_a_probe_bw_state() {
                if !sample.is_app_limited {
                    self.max_bw.advance();
                }
                let long_term = &self.long_term;
                if long_term.prev_probe_precautionary && !long_term.prev_probe_too_high {
                    self.start_probe_bw_refill();
                    return true;
                }
            }
        }
        let threshold = self.background.threshold(sample.tx_in_flight);
        if !is_inflight_too_high(sample.lost, sample.tx_in_flight, threshold) && self.long_term.is_set() {
            self.long_term.inflight = self.long_term.inflight.max(sample.tx_in_flight);
            if self.state == State::ProbeBwUp {
                self.probe_inflight_longterm_upward(sample);
            }
        }
        false
    }

    /// ProbeInflightLongtermUpward()
    fn probe_inflight_longterm_upward(&mut self, sample: &RateSample) {
        if !self.is_cwnd_limited() || self.cwnd < self.long_term.inflight {
            return;
        }
        self.long_term.grow(sample.newly_acked, self.smss);
        if self.round.start {
            self.long_term.raise_slope(self.cwnd, self.smss);
        }
    }

    /// IsTimeToCruise()
    fn is_time_to_cruise(&self) -> bool {
        let inflight = self.sampler.inflight;
        inflight <= self.inflight_with_headroom() && inflight <= self.inflight(self.max_bw.get())
    }

    /// IsTimeToGoDown()
    fn is_time_to_go_down(&mut self, sample: &RateSample) -> bool {
        let bound = self.long_term.inflight;
        if self.long_term.prev_probe_too_high && self.sampler.inflight >= bound {
            self.long_term.prev_probe_precautionary = true;
            return true;
        }
        if self.is_cwnd_limited() && self.cwnd >= bound {
            self.full_pipe.reset(sample.delivery_rate);
            return false;
        }
        self.full_pipe.now
    }

    /// IsTimeToProbeBW() (5.3.3.8.3)
    fn check_time_to_probe_bw(&mut self, now: Instant) -> bool {
        let due = elapsed(now, self.cycle_stamp, self.bw_probe_wait) || self.is_reno_coexistence_probe_time();
        if due {
            self.start_probe_bw_refill();
        }
        due
    }

    /// IsRenoCoexistenceProbeTime(): as often as Reno would, for small windows.
    fn is_reno_coexistence_probe_time(&self) -> bool {
        let packets = self.target_inflight().checked_div(self.smss).unwrap_or(0);
        self.rounds_since_probe_up >= packets.min(RENO_ROUNDS)
    }

    /// PickProbeWait()
    fn pick_probe_wait(&mut self) {
        self.rounds_since_probe_up = self.random.bits() & 1;
        let spread = Duration::from_secs_f64(PROBE_WAIT_SPREAD * self.random.fraction());
        self.bw_probe_wait = PROBE_WAIT.saturating_add(spread);
    }
}
