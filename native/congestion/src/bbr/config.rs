//! What a user may choose.

use std::{sync::Arc, time::Instant};

use quinn_proto::congestion::{Controller, ControllerFactory};

use super::Bbr;

/// Configuration of [`Bbr`], and the factory that quinn-proto takes.
#[derive(Clone, Debug)]
pub struct BbrConfig {
    /// C.InitialCwnd in datagrams, at least 4.
    pub(super) initial_packets: u64,
    pub(super) seed: Option<u64>,
}

impl Default for BbrConfig {
    fn default() -> Self {
        Self {
            initial_packets: 32,
            seed: None,
        }
    }
}

impl BbrConfig {
    /// The window before the first acknowledgement, in datagrams; at least 4, 32 by default.
    pub fn initial_packets(&mut self, packets: u64) -> &mut Self {
        self.initial_packets = packets.max(4);
        self
    }

    /// Seeds the randomised time between bandwidth probes, for runs that can be repeated.
    pub fn seed(&mut self, seed: u64) -> &mut Self {
        self.seed = Some(seed);
        self
    }

    pub(super) fn initial_cwnd(&self, smss: u64) -> u64 {
        self.initial_packets.saturating_mul(smss)
    }
}

impl ControllerFactory for BbrConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Bbr::new(&self, now, current_mtu))
    }
}
