//! Whether acceleration still brings bandwidth, draft-ietf-ccwg-bbr section 5.3.1.2.

use crate::delivery::RateSample;

/// A rate that grew by less than this in `FLAT_ROUNDS` rounds has reached its limit.
const GROWTH: f64 = 1.25;
const FLAT_ROUNDS: u8 = 3;

/// A rate that an application limits and that grew by less in as many rounds is not raced after.
const COASTING_ROUNDS: u8 = 8;

/// The "full pipe" estimator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FullPipe {
    /// BBR.full_bw_reached: ever, since the last Startup began.
    pub(crate) reached: bool,
    /// BBR.full_bw_now: since the estimator was last reset.
    pub(crate) now: bool,
    full_bw: u64,
    full_bw_count: u8,
    limited_bw: u64,
    limited_rounds: u8,
}

impl FullPipe {
    /// ResetFullBW(), then takes `rate` for the baseline.
    pub(crate) fn reset(&mut self, rate: u64) {
        self.full_bw = rate;
        self.full_bw_count = 0;
        self.now = false;
    }

    /// Whether Startup found no more in many rounds, all of them limited by the application (or by
    /// the peer's flow control). The draft stays there, and so does this, but without its pacing
    /// gain: that only sends each piece of data in a burst of 2.77 times the rate.
    pub(crate) fn is_coasting(&self) -> bool {
        self.limited_rounds >= COASTING_ROUNDS
    }

    fn count_limited_rounds(&mut self, sample: &RateSample, max_bw: u64) {
        if sample.is_app_limited && (max_bw as f64) < self.limited_bw as f64 * GROWTH {
            self.limited_rounds = self.limited_rounds.saturating_add(1);
        } else {
            self.limited_bw = max_bw;
            self.limited_rounds = 0;
        }
    }

    /// CheckFullBWReached()
    pub(crate) fn check(&mut self, sample: &RateSample, round_start: bool, max_bw: u64) {
        if round_start {
            self.count_limited_rounds(sample, max_bw);
        }
        if self.now || !round_start || sample.is_app_limited {
            return;
        }
        if sample.delivery_rate as f64 >= self.full_bw as f64 * GROWTH {
            self.reset(sample.delivery_rate);
            return;
        }
        self.full_bw_count = self.full_bw_count.saturating_add(1);
        self.now = self.full_bw_count >= FLAT_ROUNDS;
        self.reached |= self.now;
    }
}
