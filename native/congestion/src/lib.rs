//! Congestion control for the native engine: BBRv3 as draft-ietf-ccwg-bbr describes it, behind
//! quinn-proto's `Controller`, and the [`Pacer`] that the engine's sending loop asks.
//!
//! Section numbers in the comments are those of draft-ietf-ccwg-bbr-06; names are the draft's. It
//! departs from the draft where the file concerned says so and why: `background` excuses loss that
//! the path shows without a queue, `ack_history` keeps bursts of acknowledgements from raising the
//! bandwidth, `min_rtt` believes a finished ProbeRTT at once, `full_pipe` does not race after a rate that
//! the application or the peer limits, and `bbr::model` sees application limits that quinn-proto
//! does not tell.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod ack_history;
mod aggregation;
mod background;
mod bbr;
mod delivery;
mod filters;
mod flights;
mod full_pipe;
mod long_term;
mod min_rtt;
mod pacer;
mod random;
mod short_term;
mod units;

use std::sync::Arc;

use quinn_proto::congestion::{ControllerFactory, CubicConfig};

pub use bbr::{Bbr, BbrConfig, State};
pub use pacer::Pacer;

/// The congestion controllers that a connection can be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// BBRv3, paced by [`Pacer`].
    #[default]
    Bbr,
    /// quinn-proto's CUBIC (RFC 9438), paced by quinn-proto alone.
    Cubic,
}

impl Algorithm {
    /// What `TransportConfig::congestion_controller_factory` takes.
    pub fn factory(self) -> Arc<dyn ControllerFactory + Send + Sync + 'static> {
        match self {
            Self::Bbr => Arc::new(BbrConfig::default()),
            Self::Cubic => Arc::new(CubicConfig::default()),
        }
    }
}
