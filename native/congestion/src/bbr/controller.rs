//! quinn-proto's face of a congestion controller.

use std::{any::Any, time::Instant};

use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerMetrics},
};

use super::{Bbr, MAX_CWND, MIN_SMSS};
use crate::pacer::burst_limit;

/// A window at which quinn-proto does not pace: 4 GiB.
const UNPACED: u64 = 1 << 32;

impl Controller for Bbr {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last_packet_number: u64) {
        self.handle_restart_from_idle(now);
        self.sampler.on_sent(now, bytes);
        // quinn-proto holds a datagram back when it would reach the window.
        self.cwnd_limited |= self.sampler.inflight.saturating_add(self.smss) >= self.cwnd;
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        if app_limited && !self.is_pipe_full(rtt.get()) {
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
        if let Some(mut sample) = self.sampler.on_end_acks(now, in_flight) {
            self.update_model_and_state(now, &mut sample);
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
        let burst = burst_limit(self.pacing_rate, self.cwnd, self.smss);
        if self.has_seen_rtt && room > burst.saturating_add(self.smss) {
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
