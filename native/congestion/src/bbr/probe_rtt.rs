//! ProbeRTT and the restart from idle, sections 5.3.4 and 5.4.

use std::time::{Duration, Instant};

use super::{AckPhase, Bbr, State};
use crate::{delivery::RateSample, units::elapsed};

/// BBR.ProbeRTTDuration
const PROBE_RTT_DURATION: Duration = Duration::from_millis(200);

impl Bbr {
    /// CheckProbeRTT() (5.3.4.3)
    pub(super) fn check_probe_rtt(&mut self, now: Instant, sample: &RateSample) {
        if self.state != State::ProbeRtt && self.min_rtt.expired && !self.idle_restart {
            self.save_cwnd();
            self.state = State::ProbeRtt;
            self.probe_rtt_done_stamp = None;
            self.ack_phase = AckPhase::ProbeStopping;
            self.start_round();
        }
        if self.state == State::ProbeRtt {
            self.handle_probe_rtt(now);
        }
        if sample.delivered > 0 {
            self.idle_restart = false;
        }
    }

    /// HandleProbeRTT()
    fn handle_probe_rtt(&mut self, now: Instant) {
        // Samples of so low a rate say nothing of the bandwidth.
        self.sampler.mark_app_limited();
        if self.probe_rtt_done_stamp.is_some() {
            self.probe_rtt_round_done |= self.round.start;
            if self.probe_rtt_round_done {
                self.check_probe_rtt_done(now);
            }
        } else if self.sampler.inflight <= self.probe_rtt_cwnd() {
            self.probe_rtt_done_stamp = Some(now);
            self.probe_rtt_round_done = false;
            self.start_round();
        }
    }

    /// CheckProbeRTTDone()
    fn check_probe_rtt_done(&mut self, now: Instant) {
        let Some(since) = self.probe_rtt_done_stamp else {
            return;
        };
        if elapsed(now, since, PROBE_RTT_DURATION) {
            self.min_rtt.on_probe_rtt_done(now);
            self.restore_cwnd();
            self.exit_probe_rtt(now);
        }
    }

    /// ExitProbeRTT() (5.3.4.4)
    fn exit_probe_rtt(&mut self, now: Instant) {
        self.short_term.reset_bounds();
        if self.full_pipe.reached {
            self.start_probe_bw_down(now);
            self.start_probe_bw_cruise();
        } else {
            self.enter_startup();
        }
    }

    /// HandleRestartFromIdle() (5.4.1), before a transmission.
    pub(super) fn handle_restart_from_idle(&mut self, now: Instant) {
        if !self.sampler.is_idle() || !self.sampler.is_app_limited() {
            return;
        }
        self.idle_restart = true;
        self.aggregation.on_idle_restart(now);
        if self.is_in_a_probe_bw_state() {
            self.set_pacing_rate_with_gain(1.0);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done(now);
        }
    }
}
