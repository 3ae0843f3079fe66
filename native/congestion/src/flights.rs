//! What was known when each packet was sent: the state P of draft-ietf-ccwg-bbr section 4.1.2.1.2.
//!
//! quinn-proto tells of a transmission (`on_sent`, all datagrams of one batch together) and of
//! each packet acknowledged (`on_ack`, known by the instant it was sent). So the state is kept for
//! each instant at which something was sent, as section 4.1.3.1 has it for offload mechanisms.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::units;

/// Most instants whose state is kept; later ones are counted to the last of these.
const MAX_FLIGHTS: usize = 2048;
/// A send of fewer bytes is most likely an acknowledgement alone, and shares the state of the
/// send before it when that is as recent as `SMALL_SEND_SPACING`.
pub(crate) const SMALL_SEND: u64 = 200;
const SMALL_SEND_SPACING: Duration = Duration::from_millis(1);

/// P of the packets of one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) sent: Instant,
    /// Bytes sent at this instant that are neither acknowledged nor lost.
    pub(crate) outstanding: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) delivered_time: Instant,
    pub(crate) first_send_time: Instant,
    pub(crate) is_app_limited: bool,
    /// Bytes in flight right after the transmission.
    pub(crate) tx_in_flight: u64,
}

/// The instants at which something was sent that may still be outstanding, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights(VecDeque<Flight>);

impl Flights {
    /// Keeps the state of a transmission.
    pub(crate) fn add(&mut self, flight: Flight) {
        let full = self.0.len() >= MAX_FLIGHTS;
        if let Some(last) = self.0.back_mut() {
            let recent = !units::elapsed(flight.sent, last.sent, SMALL_SEND_SPACING);
            let small = flight.outstanding < SMALL_SEND && recent;
            if full || small || last.sent >= flight.sent {
                last.outstanding = last.outstanding.saturating_add(flight.outstanding);
                last.tx_in_flight = flight.tx_in_flight;
                return;
            }
        }
        self.0.push_back(flight);
    }

    /// The state of the packets sent at `sent`, of which `bytes` are no longer outstanding.
    pub(crate) fn settle(&mut self, sent: Instant, bytes: u64) -> Option<Flight> {
        let after = self.0.partition_point(|flight| flight.sent <= sent);
        let flight = self.0.get_mut(after.checked_sub(1)?)?;
        flight.outstanding = flight.outstanding.saturating_sub(bytes);
        Some(*flight)
    }

    /// Forgets all: nothing is in flight.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Forgets what is settled. An acknowledgement alone is sent but never settled, and losses are
    /// told in one sum; so what is older than any packet that can still be outstanding goes too:
    /// it is declared lost 9/8 of a round trip after it was sent (RFC 9002, 6.1.2).
    pub(crate) fn prune(&mut self, now: Instant, newest_acked: Instant, rtt: Duration) {
        let limit = rtt.saturating_mul(4).max(Duration::from_millis(100));
        while let Some(first) = self.0.front() {
            let stale = first.sent < newest_acked && units::elapsed(now, first.sent, limit);
            if first.outstanding > 0 && !stale {
                break;
            }
            self.0.pop_front();
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
