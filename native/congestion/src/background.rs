//! Losses that are none of this flow's doing: a departure from the draft.
//!
//! The draft takes every loss for congestion: 5.5.10.3 slows down at any, and a probe that loses
//! more than BBR.LossThresh (2 %) ends. On a radio link that loses 3 % of all packets whatever is
//! sent, no probe ever succeeds, and the rate sinks round by round. So the share that the path
//! loses while this flow builds no queue is measured, in rounds of ProbeBW_CRUISE whose round
//! trips are near BBR.min_rtt, and only what goes beyond it counts. At most `MAX_SHARE` is
//! excused, so that a shallow buffer or a policer still speaks: overshooting loses far more there.

use std::time::Duration;

use crate::long_term::LOSS_THRESH;

/// Largest share that is excused.
const MAX_SHARE: f64 = 0.05;
/// A round that loses more than this says nothing of the background.
const OUTLIER: f64 = 0.12;
/// A round trip of less than min_rtt + min_rtt / 8 means that there is no queue.
const QUEUE_FRACTION: u32 = 8;
/// Packets that the share is measured over, and from how many on it is believed.
const MEMORY: u64 = 8192;
const ENOUGH: u64 = 200;
/// Standard deviations that chance may add to the expected number of losses.
const DEVIATIONS: f64 = 3.0;

/// What a round is for the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before the path was full for the first time: without a queue, loss is excused.
    Startup,
    /// The flow sends no more than the path delivers.
    Steady,
    /// Anything else: the flow may cause losses.
    Other,
}

/// The measured share, in bytes lost of bytes sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackgroundLoss {
    lost: u64,
    total: u64,
    round_lost: u64,
    round_acked: u64,
    round_rtt: Duration,
    phase: Phase,
    /// The last round saw no round trip near BBR.min_rtt.
    pub(crate) has_queue: bool,
    smss: u64,
}

impl BackgroundLoss {
    pub(crate) fn new() -> Self {
        Self {
            lost: 0,
            total: 0,
            round_lost: 0,
            round_acked: 0,
            round_rtt: Duration::MAX,
            phase: Phase::Startup,
            has_queue: false,
            smss: 1,
        }
    }

    pub(crate) fn on_ack(&mut self, rtt: Duration, acked: u64) {
        self.round_rtt = self.round_rtt.min(rtt);
        self.round_acked = self.round_acked.saturating_add(acked);
    }

    pub(crate) fn on_lost(&mut self, lost: u64) {
        self.round_lost = self.round_lost.saturating_add(lost);
    }

    /// Whether a round trip of `rtt` means that there is a queue.
    pub(crate) fn is_queue(&self, min_rtt: Option<Duration>, rtt: Duration) -> bool {
        let margin = |min: Duration| min.checked_div(QUEUE_FRACTION).unwrap_or_default();
        min_rtt.is_some_and(|min| rtt > min.saturating_add(margin(min)))
    }

    /// Takes the round that just ended into account; `phase` is the one that begins.
    pub(crate) fn on_round(&mut self, min_rtt: Option<Duration>, phase: Phase, smss: u64) {
        self.smss = smss;
        let has_queue = self.is_queue(min_rtt, self.round_rtt);
        let had_queue = std::mem::replace(&mut self.has_queue, has_queue);
        let lost = std::mem::take(&mut self.round_lost);
        let total = std::mem::take(&mut self.round_acked).saturating_add(lost);
        self.round_rtt = Duration::MAX;
        let before = std::mem::replace(&mut self.phase, phase);
        // Losses show a round trip late: two quiet rounds in a row.
        let quiet = !had_queue && !self.has_queue && before == phase && phase != Phase::Other;
        if quiet && lost as f64 <= total as f64 * OUTLIER {
            self.lost = self.lost.saturating_add(lost);
            self.total = self.total.saturating_add(total);
        }
        while self.total > MEMORY.saturating_mul(smss) {
            self.total /= 2;
            self.lost /= 2;
        }
    }

    /// The share of all bytes that the path loses by itself.
    pub(crate) fn share(&self) -> f64 {
        if self.phase == Phase::Startup {
            return if self.has_queue {
                self.measured()
            } else {
                MAX_SHARE
            };
        }
        self.measured()
    }

    fn measured(&self) -> f64 {
        if self.total < ENOUGH.saturating_mul(self.smss) {
            return 0.0;
        }
        (self.lost as f64 / self.total as f64).min(MAX_SHARE)
    }

    /// Losses, as a share of `volume` bytes in flight, that the path and chance explain.
    pub(crate) fn excused(&self, volume: u64) -> f64 {
        let share = self.share();
        let packets = volume as f64 / self.smss as f64;
        if share <= 0.0 || packets <= 0.0 {
            return 0.0;
        }
        (share + DEVIATIONS * (share / packets).sqrt()).min(1.0)
    }

    /// The threshold of IsInflightTooHigh() for `volume` bytes in flight, as a share of them.
    pub(crate) fn threshold(&self, volume: u64) -> f64 {
        (LOSS_THRESH + self.excused(volume)).min(0.9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn rounds(loss: &mut BackgroundLoss, count: u32, phase: Phase, rtt: Duration, per_mille: u64) {
        for _ in 0..count {
            loss.on_ack(rtt, 1000 * (1000 - per_mille));
            loss.on_lost(1000 * per_mille);
            loss.on_round(Some(MS * 20), phase, 1000);
        }
    }

    #[test]
    fn measures_what_is_lost_without_a_queue() {
        let mut loss = BackgroundLoss::new();
        assert_eq!(loss.share(), MAX_SHARE, "nothing is known yet");
        rounds(&mut loss, 10, Phase::Steady, MS * 21, 30);
        assert!((0.029..0.031).contains(&loss.share()), "{}", loss.share());
        assert!((0.05..0.07).contains(&loss.threshold(1_000_000)));
        rounds(&mut loss, 40, Phase::Steady, MS * 21, 0);
        assert!(loss.share() < 0.01, "{}", loss.share());
    }

    #[test]
    fn does_not_excuse_what_comes_with_a_queue_or_with_probing() {
        for (phase, rtt) in [(Phase::Steady, MS * 23), (Phase::Other, MS * 20)] {
            let mut loss = BackgroundLoss::new();
            rounds(&mut loss, 20, phase, rtt, 50);
            assert_eq!(loss.share(), 0.0);
            assert_eq!(loss.threshold(1_000_000), LOSS_THRESH);
        }
    }

    #[test]
    fn excuses_only_so_much() {
        let mut loss = BackgroundLoss::new();
        rounds(&mut loss, 20, Phase::Steady, MS * 20, 100);
        assert_eq!(loss.share(), MAX_SHARE);
        let mut loss = BackgroundLoss::new();
        rounds(&mut loss, 20, Phase::Steady, MS * 20, 300);
        assert_eq!(
            loss.share(),
            0.0,
            "nobody loses a third of everything by accident"
        );
    }

    #[test]
    fn lives_through_extremes() {
        let mut loss = BackgroundLoss::new();
        loss.on_ack(Duration::MAX, u64::MAX);
        loss.on_lost(u64::MAX);
        loss.on_round(None, Phase::Steady, u64::MAX);
        loss.on_round(Some(Duration::MAX), Phase::Steady, 1);
        assert!(loss.threshold(0) >= LOSS_THRESH);
        assert!(loss.threshold(u64::MAX) < 1.0);
    }
}
