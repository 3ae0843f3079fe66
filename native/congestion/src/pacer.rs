//! When the sending loop may ask for packets, draft-ietf-ccwg-bbr section 5.6.2.
//!
//! quinn-proto's own pacer knows no rate: it fills at 1.25 windows a smoothed round trip, which
//! for the window of two bandwidth-delay products that BBR wants is 2.5 times the bandwidth, and
//! it forgets what a loop that comes more than 2 ms late did not send. So the loop asks this pacer
//! before `poll_transmit`, and `Bbr` keeps the other out of the way (see its `window`).

use std::time::{Duration, Instant};

use quinn_proto::congestion::ControllerMetrics;

use crate::units;

/// C.send_quantum is what leaves in this time (5.6.3) …
const QUANTUM_TIME: Duration = Duration::from_millis(1);
/// … and at most this, what one system call with segmentation offload takes.
const MAX_QUANTUM: u64 = 64 * 1024;
/// A loop that comes late makes up for as much. A function with a fourteenth of a core stands still
/// for most of each 20 to 100 ms; the rate that it lost so, BBR would take for the path's, and
/// pace by it, and lose the same part of that again. The window bounds what is made up for.
const MAX_LATENESS: Duration = Duration::from_millis(100);

/// C.send_quantum for a pacing rate in bytes per second (5.6.3).
pub(crate) fn send_quantum(pacing_rate: u64, smss: u64) -> u64 {
    let quantum = units::volume(pacing_rate, QUANTUM_TIME).min(MAX_QUANTUM);
    quantum.max(smss.saturating_mul(2))
}

/// What may leave in one batch when the loop comes late, in bytes: a quarter of the window.
pub(crate) fn burst_limit(pacing_rate: u64, cwnd: u64, smss: u64) -> u64 {
    send_quantum(pacing_rate, smss).max((cwnd / 4).min(MAX_QUANTUM))
}

/// Paces one connection by the rate that its congestion controller reports.
///
/// ```text
/// match pacer.poll(now, &connection.congestion_state().metrics(), connection.current_mtu()) {
///     Ok(datagrams) => poll_transmit(now, datagrams.min(GSO limit), …), then pacer.on_sent(…)
///     Err(at) => come back at `at`, or when a packet arrives: then ask again
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    /// C.next_send_time
    next_send_time: Option<Instant>,
    /// Bytes per second; 0 where the controller reports none and nothing is paced.
    rate: u64,
    mtu: u64,
    /// The last question was answered with leave to send, and nothing was sent.
    idle: bool,
}

impl Pacer {
    /// A pacer that lets the first packets go at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many datagrams of `mtu` bytes may leave now, at least one; or the instant at which to
    /// ask again. A controller that reports no pacing rate is not held.
    pub fn poll(&mut self, now: Instant, metrics: &ControllerMetrics, mtu: u16) -> Result<usize, Instant> {
        self.rate = metrics.pacing_rate.map_or(0, |bits| bits / 8);
        if self.rate == 0 {
            self.next_send_time = None;
            return Ok(usize::MAX);
        }
        let mtu = u64::from(mtu).max(1);
        self.mtu = mtu;
        if let Some(next) = self.next_send_time.filter(|next| *next > now) {
            self.idle = false;
            return Err(next);
        }
        // Time in which there was nothing to send, or no room in the window, is not made up for;
        // but less than a quantum leaves the way open, so that quinn-proto is asked for more and
        // sees that the application has no more (4.1.2.4).
        if std::mem::replace(&mut self.idle, true) {
            self.next_send_time = self.next_send_time.max(now.checked_sub(QUANTUM_TIME));
        }
        let late = self
            .next_send_time
            .map_or(Duration::ZERO, |next| now.saturating_duration_since(next));
        let due =
            units::volume(self.rate, late.min(MAX_LATENESS)).saturating_add(send_quantum(self.rate, mtu));
        let bytes = due.min(burst_limit(self.rate, metrics.congestion_window, mtu));
        let datagrams = bytes.checked_div(mtu).unwrap_or(1);
        Ok(usize::try_from(datagrams).unwrap_or(usize::MAX).max(1))
    }

    /// Counts `bytes` as sent at `now`, right after `poll` allowed it. What fills less than half a
    /// datagram is most likely an acknowledgement, and those are not to wait for each other: a
    /// receiver's own rate, which nothing ever raises, would hold them back.
    pub fn on_sent(&mut self, now: Instant, bytes: usize) {
        self.idle = false;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.rate == 0 || bytes < self.mtu / 2 {
            return;
        }
        let earliest = now.checked_sub(MAX_LATENESS).unwrap_or(now);
        let start = self.next_send_time.map_or(now, |next| next.max(earliest));
        let delay = units::duration(bytes, self.rate);
        self.next_send_time = Some(start.checked_add(delay).unwrap_or(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(bytes_per_second: Option<u64>) -> ControllerMetrics {
        let mut metrics = ControllerMetrics::default();
        metrics.pacing_rate = bytes_per_second.map(|rate| rate * 8);
        metrics
    }

    /// Sends as much as is allowed for a second, asked each `step`.
    fn sent_in_a_second(rate: u64, step: Duration) -> u64 {
        let start = Instant::now();
        let (mut now, mut sent, mut pacer) = (start, 0, Pacer::new());
        while now < start + Duration::from_secs(1) {
            while let Ok(datagrams) = pacer.poll(now, &metrics(Some(rate)), 1200) {
                pacer.on_sent(now, datagrams * 1200);
                sent += datagrams as u64 * 1200;
            }
            now += step;
        }
        sent
    }

    #[test]
    fn keeps_the_rate() {
        for rate in [100_000, 6_250_000, 125_000_000] {
            for step in [Duration::from_micros(50), Duration::from_millis(1)] {
                let sent = sent_in_a_second(rate, step) as f64 / rate as f64;
                assert!(
                    (0.98..1.03).contains(&sent),
                    "{sent} of {rate} asked each {step:?}"
                );
            }
        }
    }

    #[test]
    fn a_late_loop_makes_up_for_it_within_bounds() {
        for (late, share) in [
            (10, 0.98..1.03),
            (20, 0.98..1.03),
            (100, 0.88..1.03),
            (400, 0.19..0.25),
        ] {
            let sent = sent_in_a_second(6_250_000, Duration::from_millis(late)) as f64 / 6_250_000.0;
            assert!(share.contains(&sent), "{sent} asked each {late} ms");
        }
    }

    #[test]
    fn what_is_late_goes_in_large_batches() {
        let (now, mut pacer, mut metrics) = (Instant::now(), Pacer::new(), metrics(Some(1_200_000)));
        metrics.congestion_window = 120_000;
        pacer.on_sent(now, 0);
        assert_eq!(pacer.poll(now, &metrics, 1200), Ok(2));
        pacer.on_sent(now, 2400);
        assert!(pacer.poll(now, &metrics, 1200).is_err());
        let late = now + Duration::from_millis(22);
        assert_eq!(pacer.poll(late, &metrics, 1200), Ok(22));
        pacer.on_sent(late, 22 * 1200);
        assert!(pacer.poll(late, &metrics, 1200).is_err());
        assert_eq!(
            pacer.poll(late + Duration::from_millis(90), &metrics, 1200),
            Ok(25),
            "a quarter of the window"
        );
    }

    #[test]
    fn idle_time_is_not_made_up_for() {
        let (mut now, mut pacer) = (Instant::now(), Pacer::new());
        for _ in 0..10 {
            assert!(pacer.poll(now, &metrics(Some(1_200_000)), 1200).is_ok());
            now += Duration::from_millis(20);
        }
        let mut bytes = 0;
        while let Ok(datagrams) = pacer.poll(now, &metrics(Some(1_200_000)), 1200) {
            pacer.on_sent(now, datagrams * 1200);
            bytes += datagrams * 1200;
        }
        assert!((2400..=4800).contains(&bytes), "{bytes}: one quantum or two");
    }

    #[test]
    fn does_not_hold_acknowledgements_back() {
        let (now, mut pacer) = (Instant::now(), Pacer::new());
        for _ in 0..1000 {
            assert!(pacer.poll(now, &metrics(Some(1000)), 1200).is_ok());
            pacer.on_sent(now, 250);
        }
    }

    #[test]
    fn does_not_hold_a_controller_without_a_rate() {
        let (now, mut pacer) = (Instant::now(), Pacer::new());
        for _ in 0..100 {
            assert_eq!(pacer.poll(now, &metrics(None), 1200), Ok(usize::MAX));
            pacer.on_sent(now, 1 << 20);
        }
    }

    #[test]
    fn lives_through_extremes() {
        let (now, mut pacer) = (Instant::now(), Pacer::new());
        assert_eq!(pacer.poll(now, &metrics(Some(1)), 0), Ok(2));
        pacer.on_sent(now, usize::MAX);
        assert!(pacer.poll(now, &metrics(Some(u64::MAX / 8)), u16::MAX).is_err());
        assert!(
            pacer
                .poll(now + Duration::from_secs(3601), &metrics(Some(1)), 1)
                .is_ok()
        );
    }
}
