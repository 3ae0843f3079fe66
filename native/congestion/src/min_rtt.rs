//! The path's propagation delay, draft-ietf-ccwg-bbr sections 5.3.4.3 and 5.5.7.

use std::time::{Duration, Instant};

use crate::units::elapsed;

/// BBR.MinRTTFilterLen
const FILTER_LEN: Duration = Duration::from_secs(10);
/// BBR.ProbeRTTInterval
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// The minimum filter, and when it is due to be refreshed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinRtt {
    min_rtt: Option<Duration>,
    min_rtt_stamp: Instant,
    probe_rtt_min_delay: Duration,
    probe_rtt_min_stamp: Instant,
    /// BBR.probe_rtt_expired
    pub(crate) expired: bool,
}

impl MinRtt {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            min_rtt: None,
            min_rtt_stamp: now,
            probe_rtt_min_delay: Duration::MAX,
            probe_rtt_min_stamp: now,
            expired: false,
        }
    }

    /// BBR.min_rtt, `None` before the first sample.
    pub(crate) fn get(&self) -> Option<Duration> {
        self.min_rtt
    }

    /// UpdateMinRTT()
    pub(crate) fn update(&mut self, now: Instant, rtt: Duration) {
        self.expired = elapsed(now, self.probe_rtt_min_stamp, PROBE_INTERVAL);
        if rtt < self.probe_rtt_min_delay || self.expired {
            self.probe_rtt_min_delay = rtt;
            self.probe_rtt_min_stamp = now;
        }
        let min_rtt_expired = elapsed(now, self.min_rtt_stamp, FILTER_LEN);
        if self.min_rtt.is_none_or(|min| self.probe_rtt_min_delay < min) || min_rtt_expired {
            self.min_rtt = Some(self.probe_rtt_min_delay);
            self.min_rtt_stamp = self.probe_rtt_min_stamp;
        }
    }

    /// Schedules the next ProbeRTT one interval from now, and takes what this one measured, a
    /// departure from the draft: it lets the lower value of an earlier probe stand for ten seconds.
    /// A path that became longer, or a queue that belongs to others, is so believed in five, and
    /// the memory of the draft while a probe drains the path stays.
    pub(crate) fn on_probe_rtt_done(&mut self, now: Instant) {
        self.probe_rtt_min_stamp = now;
        self.min_rtt = Some(self.probe_rtt_min_delay);
        self.min_rtt_stamp = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_a_path_that_became_longer() {
        let start = Instant::now();
        let ms = Duration::from_millis(1);
        let mut filter = MinRtt::new(start);
        filter.update(start, ms * 20);
        for second in 1..5 {
            filter.update(start + Duration::from_secs(second), ms * 80);
            assert!(!filter.expired);
            assert_eq!(filter.get(), Some(ms * 20));
        }
        filter.update(start + Duration::from_millis(5001), ms * 80);
        assert!(filter.expired);
        assert_eq!(
            filter.get(),
            Some(ms * 20),
            "only a probe that is complete counts"
        );
        filter.update(start + Duration::from_millis(10_002), ms * 80);
        assert_eq!(filter.get(), Some(ms * 80));
    }

    #[test]
    fn believes_a_probe_that_is_complete() {
        let start = Instant::now();
        let ms = Duration::from_millis(1);
        let mut filter = MinRtt::new(start);
        filter.update(start, ms * 20);
        let probe = start + Duration::from_millis(5001);
        filter.update(probe, ms * 95);
        filter.update(probe + ms * 100, ms * 80);
        assert_eq!(filter.get(), Some(ms * 20));
        filter.on_probe_rtt_done(probe + ms * 200);
        assert_eq!(filter.get(), Some(ms * 80));
        filter.update(probe + ms * 300, ms * 81);
        assert!(!filter.expired, "the next probe is five seconds away");
    }
}
