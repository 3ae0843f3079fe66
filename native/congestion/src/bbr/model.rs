//! The steps of an acknowledgement, section 5.2.3, and the rounds and bandwidth of the model, section
//! 5.5.

use std::time::{Duration, Instant};

use super::{Bbr, State};
use crate::{aggregation, background::Phase, delivery::RateSample, units};

impl Bbr {
    /// UpdateModelAndState()
    pub(super) fn update_model_and_state(&mut self, now: Instant, sample: &mut RateSample) {
        self.update_round(now, sample);
        sample.is_app_limited |= self.round.was_idle;
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
    pub(super) fn update_max_bw(&mut self, now: Instant, sample: &RateSample) {
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
    fn update_round(&mut self, now: Instant, sample: &RateSample) {
        self.round.start = sample.prior_delivered >= self.round.next_round_delivered;
        if self.round.start {
            self.start_round();
            self.round.count = self.round.count.saturating_add(1);
            self.rounds_since_probe_up = self.rounds_since_probe_up.saturating_add(1);
            self.check_idle_round(now);
            self.cwnd_limited_last_round = self.cwnd_limited;
            self.cwnd_limited = false;
            let phase = self.background_phase();
            self.background.on_round(self.min_rtt.get(), phase, self.smss);
        }
    }

    /// quinn-proto tells with an acknowledgement whether the application has no more data then. One
    /// that writes a little each round trip has data whenever an acknowledgement comes; so a round in
    /// which neither the window nor the pace was used is application-limited, too.
    fn check_idle_round(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.round.since);
        let allowed = units::volume(self.pacing_rate, elapsed);
        let sent = self.sampler.sent.saturating_sub(self.round.sent);
        self.round.was_idle = !self.cwnd_limited && sent < allowed / 3;
        if self.round.was_idle {
            self.sampler.mark_app_limited();
        }
        self.round.since = now;
        self.round.sent = self.sampler.sent;
    }

    /// What the losses of the round that begins say of the path.
    pub(super) fn background_phase(&self) -> Phase {
        match self.state {
            State::Startup => Phase::Startup,
            State::ProbeBwCruise => Phase::Steady,
            _ => Phase::Other,
        }
    }

    /// StartRound()
    pub(super) fn start_round(&mut self) {
        self.round.next_round_delivered = self.sampler.delivered;
    }

    /// Whether more than fits the path is in flight, and waits in a queue. Then it is the path that
    /// limits the rate, whatever quinn-proto says: it calls a flow that the peer's flow control
    /// holds back application-limited, which 4.1.1.3.1 has treated like a network's bottleneck.
    /// `srtt` is without the peer's delay of acknowledgements, which is no queue.
    pub(super) fn is_pipe_full(&self, srtt: Duration) -> bool {
        let has_queue = self.background.has_queue && self.background.is_queue(self.min_rtt.get(), srtt);
        has_queue && self.sampler.inflight > self.bdp().max(self.initial_cwnd)
    }

    /// C.is_cwnd_limited
    pub(super) fn is_cwnd_limited(&self) -> bool {
        self.cwnd_limited || self.cwnd_limited_last_round
    }
}
