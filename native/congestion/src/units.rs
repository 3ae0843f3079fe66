//! Bytes, bytes per second and time, with arithmetic that saturates.

use std::time::{Duration, Instant};

/// "Infinity" of the draft: a bound that does not bind, in bytes or bytes per second.
pub(crate) const INFINITY: u64 = u64::MAX;

/// `value * gain`, at most [`INFINITY`]; a negative or undefined product is 0.
pub(crate) fn scale(value: u64, gain: f64) -> u64 {
    (value as f64 * gain) as u64
}

/// Bytes per second, or `None` where no time has passed.
pub(crate) fn rate(bytes: u64, time: Duration) -> Option<u64> {
    let nanos = time.as_nanos();
    let scaled = u128::from(bytes).saturating_mul(1_000_000_000);
    Some(u64::try_from(scaled.checked_div(nanos)?).unwrap_or(INFINITY))
}

/// Bytes that `rate` (bytes per second) carries in `time`.
pub(crate) fn volume(rate: u64, time: Duration) -> u64 {
    let scaled = u128::from(rate).saturating_mul(time.as_nanos());
    u64::try_from(scaled / 1_000_000_000).unwrap_or(INFINITY)
}

/// How long `bytes` take at `rate` (bytes per second), at most an hour.
pub(crate) fn duration(bytes: u64, rate: u64) -> Duration {
    const LIMIT: u64 = 3_600_000_000_000;
    let scaled = u128::from(bytes).saturating_mul(1_000_000_000);
    let nanos = scaled.checked_div(u128::from(rate)).unwrap_or(u128::from(LIMIT));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(LIMIT).min(LIMIT))
}

/// Whether more than `interval` has passed since `start`.
pub(crate) fn elapsed(now: Instant, start: Instant, interval: Duration) -> bool {
    now.saturating_duration_since(start) > interval
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturates_instead_of_overflowing() {
        assert_eq!(scale(INFINITY, 2.0), INFINITY);
        assert_eq!(scale(1, -1.0), 0);
        assert_eq!(scale(1, f64::NAN), 0);
        assert_eq!(rate(1, Duration::ZERO), None);
        assert_eq!(rate(INFINITY, Duration::from_nanos(1)), Some(INFINITY));
        assert_eq!(volume(INFINITY, Duration::MAX), INFINITY);
        assert_eq!(duration(1, 0), Duration::from_secs(3600));
        assert_eq!(duration(INFINITY, 1), Duration::from_secs(3600));
    }

    #[test]
    fn converts_between_volume_rate_and_time() {
        let second = Duration::from_secs(1);
        assert_eq!(rate(500, second / 2), Some(1000));
        assert_eq!(volume(1000, second / 2), 500);
        assert_eq!(duration(500, 1000), second / 2);
    }
}
