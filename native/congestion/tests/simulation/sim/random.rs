//! The simulation's dice.

/// Xorshift64*, seeded.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// True with probability `chance`.
    pub fn falls(&mut self, chance: f64) -> bool {
        ((self.bits() >> 11) as f64) < chance * (1_u64 << 53) as f64
    }
}
