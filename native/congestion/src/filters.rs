//! Windowed maximum filters.

/// Maximum over a sliding window of some clock, after Kathleen Nichols: the best, the second best
/// and the third best sample, each later than the one before, stand for the whole window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WindowedMax {
    best: Sample,
    second: Sample,
    third: Sample,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    time: u64,
    value: u64,
}

impl WindowedMax {
    /// Takes `value` in at `time` and returns the maximum over the last `window` units of time.
    pub(crate) fn update(&mut self, window: u64, time: u64, value: u64) -> u64 {
        let sample = Sample { time, value };
        if value >= self.best.value || time.saturating_sub(self.third.time) > window {
            (self.best, self.second, self.third) = (sample, sample, sample);
            return value;
        }
        if value >= self.second.value {
            (self.second, self.third) = (sample, sample);
        } else if value >= self.third.value {
            self.third = sample;
        }
        self.age(window, sample);
        self.best.value
    }

    /// Moves the later samples up as the best leaves the window, and takes fresh ones when a
    /// quarter or half of it went by without any.
    fn age(&mut self, window: u64, sample: Sample) {
        let age = sample.time.saturating_sub(self.best.time);
        if age > window {
            (self.best, self.second, self.third) = (self.second, self.third, sample);
            if sample.time.saturating_sub(self.best.time) > window {
                (self.best, self.second, self.third) = (self.second, self.third, sample);
            }
        } else if self.second.time == self.best.time && age > window / 4 {
            (self.second, self.third) = (sample, sample);
        } else if self.third.time == self.second.time && age > window / 2 {
            self.third = sample;
        }
    }

    /// The maximum as of the last update.
    pub(crate) fn get(&self) -> u64 {
        self.best.value
    }
}

/// BBR.max_bw_filter (5.5.5, 5.5.6): the maximum of the current and of the previous ProbeBW cycle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MaxBwFilter {
    previous: u64,
    current: u64,
}

impl MaxBwFilter {
    pub(crate) fn update(&mut self, rate: u64) {
        self.current = self.current.max(rate);
    }

    /// AdvanceMaxBwFilter(): starts the next cycle; one without samples leaves the last one be.
    pub(crate) fn advance(&mut self) {
        if self.current > 0 {
            self.previous = self.current;
            self.current = 0;
        }
    }

    /// BBR.max_bw, in bytes per second; 0 before the first sample.
    pub(crate) fn get(&self) -> u64 {
        self.previous.max(self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_maximum_for_a_window_and_no_longer() {
        let mut filter = WindowedMax::default();
        assert_eq!(filter.update(10, 0, 100), 100);
        for time in 1..=10 {
            assert_eq!(filter.update(10, time, 50), 100, "at {time}");
        }
        assert_eq!(filter.update(10, 11, 50), 50);
        assert_eq!(filter.get(), 50);
    }

    #[test]
    fn agrees_with_a_plain_window_within_its_precision() {
        let mut filter = WindowedMax::default();
        let mut seen: Vec<(u64, u64)> = Vec::new();
        let mut noise = 12345_u64;
        for time in 0..2000 {
            noise = noise.wrapping_mul(6364136223846793005).wrapping_add(1);
            let value = noise >> 54;
            seen.push((time, value));
            let got = filter.update(16, time, value);
            let window = seen.iter().filter(|s| s.0 + 16 >= time).map(|s| s.1);
            let highest = window.clone().max().unwrap_or(0);
            assert!(got <= highest, "{got} is above everything in the window");
            assert!(got >= value, "{got} is below the newest sample");
        }
    }

    #[test]
    fn bandwidth_lives_for_two_cycles() {
        let mut filter = MaxBwFilter::default();
        filter.update(100);
        filter.advance();
        filter.update(60);
        assert_eq!(filter.get(), 100);
        filter.advance();
        assert_eq!(filter.get(), 60);
        filter.advance();
        assert_eq!(filter.get(), 60, "a cycle without samples does not forget");
    }
}
