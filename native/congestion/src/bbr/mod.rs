//! BBR itself: its state, and the steps of section 5.2 in the order of the draft.
//!
//! quinn-proto calls `on_ack` for each packet of an acknowledgement, `on_end_acks` after the last
//! of them, and only then `on_congestion_event` for the losses that it shows: losses count from
//! the next acknowledgement on. It never tells that a loss was spurious, so 5.5.11 has no part
//! here.

mod config;
mod control;
mod loss;
mod probe_bw;
mod probe_rtt;
mod startup;

use std::{
    any::Any,
    time::{Duration, Instant},
};

use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerMetrics},
};

pub use config::BbrConfig;

use crate::{
    ack_history::AckHistory,
    aggregation::{self, Aggregation},
    background::{BackgroundLoss, Phase},
    delivery::{RateSample, Sampler},
    filters::MaxBwFilter,
    full_pipe::FullPipe,
    long_term::LongTerm,
    min_rtt::MinRtt,
    random::Random,
    short_term::ShortTerm,
};

/// Largest window: above it quinn-proto stops its own pacing.
const MAX_CWND: u64 = u32::MAX as u64;
/// A window at which quinn-proto does not pace: 4 GiB.
const UNPACED: u64 = 1 << 32;
/// Smallest maximum datagram size of QUIC (RFC 9000, 14), for a report below it.
const MIN_SMSS: u64 = 1200;

/// BBR.state, section 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Doubles the rate each round trip until the path is full.
    Startup,
    /// Drains the queue that Startup left.
    Drain,
    /// ProbeBW_DOWN: sends less than the path delivers.
    ProbeBwDown,
    /// ProbeBW_CRUISE: sends what the path delivers.
    ProbeBwCruise,
    /// ProbeBW_REFILL: fills the path for a round trip before it probes.
    ProbeBwRefill,
    /// ProbeBW_UP: sends more than the path delivered so far.
    ProbeBwUp,
    /// Empties the path to measure its propagation delay.
    ProbeRtt,
}

/// BBR.ack_phase, section 2.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AckPhase {
    Init,
    Refilling,
    ProbeStarting,
    ProbeFeedback,
    ProbeStopping,
}

/// BBR.round_count and what belongs to it, section 5.5.1.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    count: u64,
    start: bool,
    next_round_delivered: u64,
}

/// BBRv3 for one path.
#[derive(Clone, Debug)]
pub struct Bbr {
    state: State,
    smss: u64,
    initial_cwnd: u64,
    random: Random,
    sampler: Sampler,
    round: Round,

    // Output control parameters (2.4).
    cwnd: u64,
    pacing_rate: u64,
    /// What InitPacingRate() made of it.
    initial_pacing_rate: u64,
    send_quantum: u64,
    has_seen_rtt: bool,

    // Network path model (2.9).
    max_bw: MaxBwFilter,
    history: AckHistory,
    bw: u64,
    min_rtt: MinRtt,
    aggregation: Aggregation,
    short_term: ShortTerm,
    long_term: LongTerm,
    full_pipe: FullPipe,
    background: BackgroundLoss,

    // State machine (2.7, 2.13, 2.14, 2.16).
    idle_restart: bool,
    drain_start_round: u64,
    ack_phase: AckPhase,
    is_bw_probe_sample: bool,
    rounds_since_probe_up: u64,
    bw_probe_wait: Duration,
    cycle_stamp: Instant,
    probe_rtt_done_stamp: Option<Instant>,
    probe_rtt_round_done: bool,

    // Recovery (5.6.4.4) and C.is_cwnd_limited (2.2).
    prior_cwnd: u64,
    recovery_start: Option<Instant>,
    cwnd_limited: bool,
    cwnd_limited_last_round: bool,
}

impl Bbr {
    /// OnInit()
    fn new(config: &BbrConfig, now: Instant, mtu: u16) -> Self {
        let smss = u64::from(mtu).max(MIN_SMSS);
        let initial_cwnd = config.initial_cwnd(smss).min(MAX_CWND);
        let mut bbr = Self {
            state: State::Startup,
            smss,
            initial_cwnd,
            random: Random::new(config.seed),
            sampler: Sampler::new(now),
            round: Round::default(),
            cwnd: initial_cwnd,
            pacing_rate: 0,
            initial_pacing_rate: 0,
            send_quantum: 0,
            has_seen_rtt: false,
            max_bw: MaxBwFilter::default(),
            history: AckHistory::default(),
            bw: 0,
            min_rtt: MinRtt::new(now),
            aggregation: Aggregation::new(now),
            short_term: ShortTerm::new(),
            long_term: LongTerm::new(),
            full_pipe: FullPipe::default(),
            background: BackgroundLoss::new(),
            idle_restart: false,
            drain_start_round: 0,
            ack_phase: AckPhase::Init,
            is_bw_probe_sample: false,
            rounds_since_probe_up: 0,
            bw_probe_wait: Duration::ZERO,
            cycle_stamp: now,
            probe_rtt_done_stamp: None,
            probe_rtt_round_done: false,
            prior_cwnd: 0,
            recovery_start: None,
            cwnd_limited: false,
            cwnd_limited_last_round: false,
        };
        bbr.init_pacing_rate(Duration::from_millis(1));
        bbr
    }

    /// BBR.state
    pub fn state(&self) -> State {
        self.state
    }

    /// BBR.max_bw, bytes per second.
    pub fn max_bw(&self) -> u64 {
        self.max_bw.get()
    }

    /// BBR.min_rtt, `None` before the first acknowledgement.
    pub fn min_rtt(&self) -> Option<Duration> {
        self.min_rtt.get()
    }

    /// BBR.inflight_longterm in bytes, `None` while nothing bounds it.
    pub fn inflight_longterm(&self) -> Option<u64> {
        self.long_term.is_set().then_some(self.long_term.inflight)
    }

    /// C.pacing_rate, bytes per second.
    pub fn pacing_rate(&self) -> u64 {
        self.pacing_rate
    }

    /// UpdateModelAndState()
    fn update_model_and_state(&mut self, now: Instant, sample: &RateSample) {
        self.background.on_ack(sample.rtt, sample.newly_acked);
        self.short_term.update_latest(sample, self.sampler.delivered);
        self.update_congestion_signals(now, sample);
        let round = aggregation::Round {
            count: self.round.count,
            full_bw_reached: self.full_pipe.reached,
        };
        self.aggregation
            .update(now, self.bw, sample.newly_acked, self.cwnd, round);
        self.full_pipe.check(sample, self.round.start, self.max_bw.get());
        self.check_startup_done(sample);
        self.check_drain_done(now);
        self.update_probe_bw_cycle_phase(now, sample);
        self.min_rtt.update(now, sample.rtt);
        self.check_probe_rtt(now, sample);
        self.short_term.advance_latest(sample);
        self.bw = self.max_bw.get().min(self.short_term.bw);
    }

    /// UpdateMaxBw() (5.5.5)
    fn update_max_bw(&mut self, now: Instant, sample: &RateSample) {
        self.update_round(sample);
        let sustained = self
            .history
            .sustained_rate(now, self.sampler.delivered, sample.rtt);
        let rate = match sustained {
            Some(sustained) if self.full_pipe.reached => sample.delivery_rate.min(sustained),
            _ => sample.delivery_rate,
        };
        if rate > 0 && (rate >= self.max_bw.get() || !sample.is_app_limited) {
            self.max_bw.update(rate);
        }
    }

    /// UpdateRound() (5.5.1)
    fn update_round(&mut self, sample: &RateSample) {
        self.round.start = sample.prior_delivered >= self.round.next_round_delivered;
        if self.round.start {
            self.start_round();
            self.round.count = self.round.count.saturating_add(1);
            self.rounds_since_probe_up = self.rounds_since_probe_up.saturating_add(1);
            self.cwnd_limited_last_round = self.cwnd_limited;
            self.cwnd_limited = false;
            let phase = self.background_phase();
            self.background.on_round(self.min_rtt.get(), phase, self.smss);
        }
    }

    /// What the losses of the round that begins say of the path.
    fn background_phase(&self) -> Phase {
        match self.state {
            State::Startup => Phase::Startup,
            State::ProbeBwCruise => Phase::Steady,
            _ => Phase::Other,
        }
    }

    /// StartRound()
    fn start_round(&mut self) {
        self.round.next_round_delivered = self.sampler.delivered;
    }

    /// Whether more than fits the path is in flight, and waits in a queue. Then it is the path that
    /// limits the rate, whatever quinn-proto says: it calls a flow that the peer's flow control
    /// holds back application-limited, which 4.1.1.3.1 has treated like a network's bottleneck.
    fn is_pipe_full(&self) -> bool {
        self.background.has_queue && self.sampler.inflight > self.bdp()
    }

    /// C.is_cwnd_limited
    fn is_cwnd_limited(&self) -> bool {
        self.cwnd_limited || self.cwnd_limited_last_round
    }
}

impl Controller for Bbr {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last_packet_number: u64) {
        self.handle_restart_from_idle(now);
        self.sampler.on_sent(now, bytes);
        // quinn-proto holds a datagram back when it would reach the window.
        self.cwnd_limited |= self.sampler.inflight.saturating_add(self.smss) >= self.cwnd;
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        if app_limited && !self.is_pipe_full() {
            self.sampler.mark_app_limited();
        }
        self.sampler.on_ack(now, sent, bytes);
        self.exit_recovery(sent);
        if !self.has_seen_rtt && !rtt.get().is_zero() && self.min_rtt.get().is_some() {
            self.has_seen_rtt = true;
            self.init_pacing_rate(rtt.get());
        }
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        _app_limited: bool,
        _largest_packet_num_acked: Option<u64>,
    ) {
        if let Some(sample) = self.sampler.on_end_acks(now, in_flight) {
            self.update_model_and_state(now, &sample);
            self.update_control_parameters(&sample);
        }
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.handle_lost(now, sent, lost_bytes);
        if is_persistent_congestion {
            self.on_persistent_congestion();
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.smss = u64::from(new_mtu).max(MIN_SMSS);
        self.cwnd = self.cwnd.clamp(self.min_pipe_cwnd(), MAX_CWND);
    }

    /// C.cwnd. Where there is room for all that [`Pacer`](crate::Pacer) may let go at once, that
    /// pacer alone is to decide when it goes: the window is then said to be so large that
    /// quinn-proto does not pace. The last of the room is told as it is, so it is never exceeded.
    fn window(&self) -> u64 {
        let room = self.cwnd.saturating_sub(self.sampler.inflight);
        if self.has_seen_rtt && room > self.send_quantum.saturating_add(self.smss) {
            UNPACED
        } else {
            self.cwnd
        }
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = ControllerMetrics::default();
        metrics.congestion_window = self.cwnd;
        metrics.pacing_rate = Some(self.pacing_rate.saturating_mul(8));
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.initial_cwnd
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
