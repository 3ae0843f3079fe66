//! The native QUIC engine: one UDP socket, from the first STUN packet to the last of QUIC.
//!
//! - [`session`]: QUIC without a socket (quinn-proto, with pins inside the handshake);
//! - [`socket`] and [`poller`]: the socket in batches, and one thread that waits for all of them;
//! - [`driver`]: both together, a turn at a time;
//! - [`face`]: what JavaScript sees of it (index.d.ts).

pub mod close;
pub mod driver;
pub mod ecn;
#[cfg(target_os = "linux")]
pub mod epoll;
pub mod error;
pub mod events;
pub mod face;
pub mod options;
pub mod pin;
pub mod poller;
pub mod session;
pub mod socket;
#[cfg(target_os = "linux")]
pub mod splice;
#[cfg(not(target_os = "linux"))]
#[path = "splice/none.rs"]
pub mod splice;
pub mod stats;
#[cfg(target_os = "linux")]
pub mod target;
pub mod tls;
pub mod transport;
