//! Pacing rate, send quantum and congestion window, section 5.6.

use std::time::Duration;

use super::{Bbr, MAX_CWND, State};
use crate::{
    delivery::RateSample,
    pacer::send_quantum,
    units::{self, INFINITY, scale},
};

/// BBR.StartupPacingGain
const STARTUP_PACING_GAIN: f64 = 2.77;
/// Its place while an application limits the rate (see [`FullPipe::is_coasting`]).
///
/// [`FullPipe::is_coasting`]: crate::full_pipe::FullPipe::is_coasting
const COASTING_PACING_GAIN: f64 = 1.25;
/// BBR.ProbeRTTCwndGain
const PROBE_RTT_CWND_GAIN: f64 = 0.5;
/// 1 - BBR.PacingMarginPercent
const PACING_MARGIN: f64 = 0.99;
/// BBR.offload_budget in send quanta: one that waits at the sender, one on the way, one that the
/// receiver has not acknowledged yet. It keeps batches large where round trips are tiny.
const OFFLOAD_QUANTA: u64 = 3;

impl State {
    /// BBR.pacing_gain (5.6.1)
    fn pacing_gain(self) -> f64 {
        match self {
            Self::Startup => STARTUP_PACING_GAIN,
            Self::Drain => 0.5,
            Self::ProbeBwDown => 0.9,
            Self::ProbeBwCruise | Self::ProbeBwRefill | Self::ProbeRtt => 1.0,
            Self::ProbeBwUp => 1.25,
        }
    }

    /// BBR.cwnd_gain (5.6.1)
    fn cwnd_gain(self) -> f64 {
        match self {
            Self::ProbeBwUp => 2.25,
            Self::ProbeRtt => PROBE_RTT_CWND_GAIN,
            _ => 2.0,
        }
    }
}

impl Bbr {
    /// UpdateControlParameters()
    pub(super) fn update_control_parameters(&mut self, sample: &RateSample) {
        if self.is_coasting() {
            let rate = scale(self.bw, COASTING_PACING_GAIN * PACING_MARGIN);
            self.pacing_rate = rate.max(self.initial_pacing_rate);
        } else {
            self.set_pacing_rate_with_gain(self.state.pacing_gain());
        }
        self.send_quantum = send_quantum(self.pacing_rate, self.smss);
        self.set_cwnd(sample);
    }

    /// InitPacingRate(), and again with the first round-trip time (5.6.2).
    pub(super) fn init_pacing_rate(&mut self, srtt: Duration) {
        let nominal = units::rate(self.initial_cwnd, srtt).unwrap_or(INFINITY);
        self.pacing_rate = scale(nominal, STARTUP_PACING_GAIN).max(1);
        self.initial_pacing_rate = self.pacing_rate;
        self.send_quantum = send_quantum(self.pacing_rate, self.smss);
    }

    fn is_coasting(&self) -> bool {
        self.state == State::Startup && self.sampler.is_app_limited() && self.full_pipe.is_coasting()
    }

    /// SetPacingRateWithGain()
    pub(super) fn set_pacing_rate_with_gain(&mut self, gain: f64) {
        let rate = scale(self.bw, gain * PACING_MARGIN);
        if rate > 0 && (self.full_pipe.reached || rate > self.pacing_rate) {
            self.pacing_rate = rate;
        }
    }

    /// SetCwnd() (5.6.4.6)
    fn set_cwnd(&mut self, sample: &RateSample) {
        let max_inflight = self.max_inflight();
        let grown = self.cwnd.saturating_add(sample.newly_acked);
        if self.full_pipe.reached {
            self.cwnd = grown.min(max_inflight);
        } else if self.cwnd < max_inflight || self.sampler.delivered < self.initial_cwnd {
            self.cwnd = grown;
        }
        self.cwnd = self.cwnd.max(self.min_pipe_cwnd());
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        self.bound_cwnd_for_model();
        self.cwnd = self.cwnd.clamp(self.min_pipe_cwnd(), MAX_CWND);
    }

    /// BoundCwndForModel() (5.6.4.7)
    fn bound_cwnd_for_model(&mut self) {
        let cap = match self.state {
            State::ProbeBwDown | State::ProbeBwRefill | State::ProbeBwUp => self.long_term.inflight,
            State::ProbeBwCruise | State::ProbeRtt => self.inflight_with_headroom(),
            State::Startup | State::Drain => INFINITY,
        };
        let cap = cap.min(self.short_term.inflight).max(self.min_pipe_cwnd());
        self.cwnd = self.cwnd.min(cap);
    }

    /// BBR.MinPipeCwnd
    pub(super) fn min_pipe_cwnd(&self) -> u64 {
        self.smss.saturating_mul(4)
    }

    /// BDPMultiple() (5.6.4.2)
    fn bdp_multiple(&self, bw: u64, gain: f64) -> u64 {
        match self.min_rtt.get() {
            Some(min_rtt) => scale(units::volume(bw, min_rtt), gain),
            None => self.initial_cwnd,
        }
    }

    /// BBR.bdp
    pub(super) fn bdp(&self) -> u64 {
        self.bdp_multiple(self.bw, 1.0)
    }

    /// Inflight(1.0) for a bandwidth (5.6.4.2)
    pub(super) fn inflight(&self, bw: u64) -> u64 {
        self.quantization_budget(self.bdp_multiple(bw, 1.0))
    }

    /// UpdateMaxInflight()
    fn max_inflight(&self) -> u64 {
        let cap = self.bdp_multiple(self.bw, self.state.cwnd_gain());
        self.quantization_budget(cap.saturating_add(self.aggregation.extra_acked()))
    }

    /// QuantizationBudget()
    fn quantization_budget(&self, inflight_cap: u64) -> u64 {
        let offload_budget = self.send_quantum.saturating_mul(OFFLOAD_QUANTA);
        let cap = inflight_cap.max(offload_budget).max(self.min_pipe_cwnd());
        if self.state == State::ProbeBwUp {
            cap.saturating_add(self.smss.saturating_mul(2))
        } else {
            cap
        }
    }

    /// ProbeRTTCwnd() (5.6.4.5)
    pub(super) fn probe_rtt_cwnd(&self) -> u64 {
        self.bdp_multiple(self.bw, PROBE_RTT_CWND_GAIN)
            .max(self.min_pipe_cwnd())
    }

    /// InflightWithHeadroom()
    pub(super) fn inflight_with_headroom(&self) -> u64 {
        self.long_term.with_headroom(self.smss, self.min_pipe_cwnd())
    }

    /// TargetInflight() (5.3.3.8.3)
    pub(super) fn target_inflight(&self) -> u64 {
        self.bdp().min(self.cwnd)
    }
}
