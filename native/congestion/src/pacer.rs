//! When the sending loop may ask for packets, draft-ietf-ccwg-bbr section 5.6.2.
//!
//! quinn-proto's own pacer knows no rate: it fills at 1.25 windows a smoothed round trip, which
//! for the window of two bandwidth-delay products that BBR wants is 2.5 times the bandwidth. So
//! the loop asks this pacer before `poll_transmit`; quinn-proto's stays as the outer bound.

use std::time::{Duration, Instant};

use quinn_proto::congestion::ControllerMetrics;

use crate::units;

/// C.send_quantum is what leaves in this time (5.6.3) …
const QUANTUM_TIME: Duration = Duration::from_millis(1);
/// … and at most this, what one system call with segmentation offload takes.
const MAX_QUANTUM: u64 = 64 * 1024;
/// A loop that comes late makes up for as much; more would be a burst.
const MAX_LATENESS: Duration = Duration::from_millis(2);

/// C.send_quantum for a pacing rate in bytes per second (5.6.3).
pub(crate) fn send_quantum(pacing_rate: u64, smss: u64) -> u64 {
    let quantum = units::volume(pacing_rate, QUANTUM_TIME).min(MAX_QUANTUM);
    quantum.max(smss.saturating_mul(2))
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
        let quantum = send_quantum(self.rate, mtu);
        let datagrams = usize::try_from(quantum.checked_div(mtu).unwrap_or(1))
            .unwrap_or(usize::MAX)
            .max(1);
        match self.next_send_time {
            Some(next) if next > now => Err(next),
            _ => Ok(datagrams),
        }
    }

    /// Counts `bytes` as sent at `now`, right after `poll` allowed it. What fills less than half a
    /// datagram is most likely an acknowledgement, and those are not to wait for each other: a
    /// receiver's own rate, which nothing ever raises, would hold them back.
    pub fn on_sent(&mut self, now: Instant, bytes: usize) {
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
    fn a_late_loop_makes_up_for_a_little() {
        let sent = sent_in_a_second(6_250_000, Duration::from_millis(10));
        assert!((1_200_000..3_000_000).contains(&sent), "{sent}");
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
