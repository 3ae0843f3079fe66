//! A second look at delivery rates: a departure from the draft.
//!
//! A sample of 4.1 begins where the acknowledged packet was sent. Sent in the middle of a burst of
//! acknowledgements, it counts the rest of the burst, which the path had delivered before: on a
//! path of 20 ms a thread that is 2 ms late makes a sample 10 % too large. The maximum filter keeps
//! the largest for two cycles, and a flow that paces by it holds a standing queue. So the same end
//! is measured from several points of the round trip before, each the last acknowledgement of an
//! eighth of a round trip, and the least counts. (Google's quiche chooses such points, too.)

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::units;

/// Points a round trip, and how many are kept.
const POINTS: u32 = 8;
const MAX_POINTS: usize = 24;
/// Points this old count, in eighths of a round trip: from one to one and three quarters. Older ones
/// would hold a growing rate back.
const OLDEST: u32 = 14;

#[derive(Clone, Copy, Debug)]
struct Point {
    since: Instant,
    at: Instant,
    delivered: u64,
}

/// Points at which it is known how much was delivered.
#[derive(Clone, Debug, Default)]
pub(crate) struct AckHistory {
    points: VecDeque<Point>,
}

impl AckHistory {
    /// The least rate, in bytes per second, from a point of the last round trip but one to now;
    /// `None` where there is none. Then `now` becomes a point itself.
    pub(crate) fn sustained_rate(&mut self, now: Instant, delivered: u64, rtt: Duration) -> Option<u64> {
        let eighth = rtt.checked_div(POINTS).unwrap_or_default();
        let oldest = eighth.saturating_mul(OLDEST);
        let rates = self.points.iter().filter_map(|point| {
            let age = now.saturating_duration_since(point.at);
            let counts = age >= rtt && age <= oldest;
            counts.then(|| units::rate(delivered.saturating_sub(point.delivered), age))?
        });
        let least = rates.min();
        self.add(now, delivered, eighth);
        least
    }

    fn add(&mut self, now: Instant, delivered: u64, spacing: Duration) {
        match self.points.back_mut() {
            Some(last) if now.saturating_duration_since(last.since) < spacing => {
                last.at = now;
                last.delivered = delivered;
            }
            _ => {
                if self.points.len() >= MAX_POINTS {
                    self.points.pop_front();
                }
                self.points.push_back(Point {
                    since: now,
                    at: now,
                    delivered,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(20);

    /// 1000 bytes a millisecond, of which those in `late` are acknowledged together at its end.
    fn largest(late: std::ops::Range<u64>) -> u64 {
        let (start, mut history, mut most) = (Instant::now(), AckHistory::default(), 0);
        for ms in 0..200 {
            let at = if late.contains(&ms) { late.end } else { ms };
            let now = start + Duration::from_millis(at);
            most = most.max(history.sustained_rate(now, ms * 1000, RTT).unwrap_or(0));
        }
        most
    }

    #[test]
    fn a_steady_rate_is_found() {
        assert_eq!(largest(0..0), 1_000_000);
    }

    #[test]
    fn a_burst_does_not_raise_it() {
        assert!(largest(100..105) <= 1_010_000, "{}", largest(100..105));
    }

    #[test]
    fn keeps_no_more_than_its_bound() {
        let (start, mut history) = (Instant::now(), AckHistory::default());
        for ms in 0..10_000 {
            history.sustained_rate(start + Duration::from_millis(ms), u64::MAX - ms, Duration::ZERO);
            assert!(history.points.len() <= MAX_POINTS);
        }
    }
}
