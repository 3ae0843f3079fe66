//! BBR itself: its state, and the steps of section 5.2 in the order of the draft.
//!
//! quinn-proto calls `on_ack` for each packet of an acknowledgement, `on_end_acks` after the last
//! of them, and only then `on_congestion_event` for the losses that it shows: losses count from
//! the next acknowledgement on. It never tells that a loss was spurious, so 5.5.11 has no part
//! here.

mod config;
mod control;
mod controller;
mod loss;
mod model;
mod probe_bw;
mod probe_rtt;
mod startup;

use std::time::{Duration, Instant};

pub use config::BbrConfig;

use crate::{
    ack_history::AckHistory, aggregation::Aggregation, background::BackgroundLoss, delivery::Sampler,
    filters::MaxBwFilter, full_pipe::FullPipe, long_term::LongTerm, min_rtt::MinRtt, random::Random,
    short_term::ShortTerm,
};

/// Largest window: above it quinn-proto stops its own pacing.
const MAX_CWND: u64 = u32::MAX as u64;
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
#[derive(Clone, Copy, Debug)]
struct Round {
    count: u64,
    start: bool,
    next_round_delivered: u64,
    /// When this round began, and C.sent then.
    since: Instant,
    sent: u64,
    /// The round before used little of what pacing and window allowed.
    was_idle: bool,
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
            round: Round {
                count: 0,
                start: false,
                next_round_delivered: 0,
                since: now,
                sent: 0,
                was_idle: false,
            },
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
}
