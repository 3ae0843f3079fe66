//! What JavaScript sees; index.d.ts describes it.
//!
//! One thread, JavaScript's own, does all the work of a socket: the poller's thread only calls it. A call never
//! calls back into JavaScript, so that none of them is entered twice.

mod guard;
mod options;
mod socket;
mod stats;
#[cfg(target_os = "linux")]
mod targets;
mod values;

use napi_derive::napi;

/// The engine's version.
#[napi]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
