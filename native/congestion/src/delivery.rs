//! Delivery-rate samples, draft-ietf-ccwg-bbr section 4.1.

use std::time::{Duration, Instant};

use crate::{
    flights::{Flight, Flights, SMALL_SEND},
    units,
};

/// RS: what an acknowledgement says of the path (2.3, 4.1.2.1.3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateSample {
    pub(crate) rtt: Duration,
    pub(crate) newly_acked: u64,
    pub(crate) delivered: u64,
    pub(crate) prior_delivered: u64,
    /// Bytes per second; 0 where the sample is not reliable.
    pub(crate) delivery_rate: u64,
    pub(crate) is_app_limited: bool,
    pub(crate) tx_in_flight: u64,
    pub(crate) lost: u64,
}

/// The newest packet of the acknowledgement that is being processed.
#[derive(Clone, Copy, Debug)]
struct Newest {
    flight: Flight,
    send_elapsed: Duration,
    ack_elapsed: Duration,
}

/// C: the connection's part of the state (4.1.2.1.1).
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    /// C.delivered, bytes acknowledged since the start.
    pub(crate) delivered: u64,
    /// Bytes sent since the start.
    pub(crate) sent: u64,
    /// C.lost, bytes declared lost since the start.
    pub(crate) lost: u64,
    /// C.inflight. quinn-proto tells it after each acknowledgement; in between it is counted here.
    pub(crate) inflight: u64,
    /// What of it is small sends since then: acknowledgements alone are in flight for nobody.
    small: u64,
    delivered_time: Instant,
    first_send_time: Instant,
    /// C.app_limited: the value of `delivered` at which the bubble has left the pipe, or 0.
    app_limited: u64,
    min_rtt: Duration,
    newly_acked: u64,
    newest: Option<Newest>,
    newest_sent: Instant,
    flights: Flights,
}

impl Sampler {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            delivered: 0,
            sent: 0,
            lost: 0,
            inflight: 0,
            small: 0,
            delivered_time: now,
            first_send_time: now,
            app_limited: 0,
            min_rtt: Duration::MAX,
            newly_acked: 0,
            newest: None,
            newest_sent: now,
            flights: Flights::default(),
        }
    }

    /// OnPacketSent() (4.1.2.2).
    pub(crate) fn on_sent(&mut self, now: Instant, bytes: u64) {
        if self.is_idle() {
            self.first_send_time = now;
            self.delivered_time = now;
        }
        self.sent = self.sent.saturating_add(bytes);
        self.inflight = self.inflight.saturating_add(bytes);
        if bytes < SMALL_SEND {
            self.small = self.small.saturating_add(bytes);
        }
        self.flights.add(Flight {
            sent: now,
            outstanding: bytes,
            delivered: self.delivered,
            lost: self.lost,
            delivered_time: self.delivered_time,
            first_send_time: self.first_send_time,
            is_app_limited: self.is_app_limited(),
            tx_in_flight: self.inflight,
        });
    }

    /// UpdateRateSample() (4.1.2.3) for one packet.
    pub(crate) fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.delivered = self.delivered.saturating_add(bytes);
        self.inflight = self.inflight.saturating_sub(bytes);
        self.newly_acked = self.newly_acked.saturating_add(bytes);
        self.delivered_time = now;
        let Some(flight) = self.flights.settle(sent, bytes) else {
            return;
        };
        if self.newest.is_none() || sent >= self.newest_sent {
            self.newest_sent = sent;
            self.first_send_time = flight.sent;
            self.newest = Some(Newest {
                flight,
                send_elapsed: flight.sent.saturating_duration_since(flight.first_send_time),
                ack_elapsed: now.saturating_duration_since(flight.delivered_time),
            });
        }
    }

    /// GenerateRateSample() (4.1.2.3), after all packets of an acknowledgement. `None` where it
    /// acknowledged nothing that is counted.
    pub(crate) fn on_end_acks(&mut self, now: Instant, inflight: u64) -> Option<RateSample> {
        self.inflight = inflight;
        self.small = 0;
        if self.app_limited != 0 && self.delivered > self.app_limited {
            self.app_limited = 0;
        }
        let newly_acked = std::mem::take(&mut self.newly_acked);
        let newest = self.newest.take()?;
        let rtt = now.saturating_duration_since(self.newest_sent);
        self.min_rtt = self.min_rtt.min(rtt);
        let delivered = self.delivered.saturating_sub(newest.flight.delivered);
        let interval = newest.send_elapsed.max(newest.ack_elapsed);
        // An interval below the round trip is no reliable sample.
        let reliable = interval >= self.min_rtt;
        let rate = units::rate(delivered, interval).filter(|_| reliable);
        if self.inflight == 0 {
            self.flights.clear();
        }
        self.flights.prune(now, self.newest_sent, rtt);
        Some(RateSample {
            rtt,
            newly_acked,
            delivered,
            prior_delivered: newest.flight.delivered,
            delivery_rate: rate.unwrap_or(0),
            is_app_limited: newest.flight.is_app_limited,
            tx_in_flight: newest.flight.tx_in_flight,
            lost: self.lost.saturating_sub(newest.flight.lost),
        })
    }

    /// Counts `bytes` as lost; `sent` is the instant of the last packet among them. Returns its
    /// state when it is still known.
    pub(crate) fn on_lost(&mut self, sent: Instant, bytes: u64) -> Option<Flight> {
        self.lost = self.lost.saturating_add(bytes);
        self.inflight = self.inflight.saturating_sub(bytes);
        self.flights.settle(sent, bytes)
    }

    /// MarkConnectionAppLimited() (4.1.2.4).
    pub(crate) fn mark_app_limited(&mut self) {
        self.app_limited = self.delivered.saturating_add(self.inflight).max(1);
    }

    /// Whether nothing is in flight but, maybe, acknowledgements.
    pub(crate) fn is_idle(&self) -> bool {
        self.inflight <= self.small
    }

    pub(crate) fn is_app_limited(&self) -> bool {
        self.app_limited != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn measures_the_rate_of_a_steady_flow() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        let mut rate = 0;
        // 1000 bytes a millisecond, acknowledged 10 ms later.
        for ms in 0..100 {
            let now = start + MS * ms;
            if ms >= 10 {
                sampler.on_ack(now, now - MS * 10, 1000);
                let sample = sampler.on_end_acks(now, 9000).expect("a sample");
                assert_eq!(sample.rtt, MS * 10);
                rate = sample.delivery_rate;
            }
            sampler.on_sent(now, 1000);
        }
        assert_eq!(rate, 1_000_000);
    }

    #[test]
    fn finds_packets_of_one_instant() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        for _ in 0..3 {
            sampler.on_sent(start, 4000);
        }
        assert_eq!(sampler.flights.len(), 1);
        for _ in 0..4 {
            sampler.on_ack(start + MS, start, 1000);
        }
        let sample = sampler.on_end_acks(start + MS, 8000).expect("a sample");
        assert_eq!((sample.newly_acked, sample.delivered), (4000, 4000));
        assert_eq!(sample.tx_in_flight, 12_000);
        assert_eq!(sampler.flights.len(), 1, "8000 bytes are outstanding");
    }

    #[test]
    fn marks_samples_until_the_bubble_has_left() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        sampler.on_sent(start, 1000);
        sampler.mark_app_limited();
        sampler.on_sent(start + MS, 1000);
        sampler.on_ack(start + MS * 2, start, 1000);
        assert!(
            !sampler
                .on_end_acks(start + MS * 2, 1000)
                .expect("a sample")
                .is_app_limited
        );
        sampler.on_ack(start + MS * 3, start + MS, 1000);
        assert!(
            sampler
                .on_end_acks(start + MS * 3, 0)
                .expect("a sample")
                .is_app_limited
        );
        assert!(!sampler.is_app_limited());
    }

    #[test]
    fn acknowledgements_alone_leave_it_idle() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        sampler.on_sent(start, 1200);
        assert!(!sampler.is_idle());
        sampler.on_ack(start + MS, start, 1200);
        sampler.on_end_acks(start + MS, 0);
        for ms in 2..1000 {
            sampler.on_sent(start + MS * ms, 45);
            assert!(sampler.is_idle());
        }
        sampler.on_sent(start + MS * 1000, 1200);
        assert!(!sampler.is_idle());
        sampler.on_ack(start + MS * 1010, start + MS * 1000, 1200);
        let sample = sampler.on_end_acks(start + MS * 1010, 0).expect("a sample");
        assert_eq!(sample.delivery_rate, 120_000, "the idle second is no part of it");
    }

    #[test]
    fn keeps_no_more_than_its_bound() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        for us in 0..20_000 {
            sampler.on_sent(start + Duration::from_micros(us), 1200);
        }
        assert_eq!(sampler.flights.len(), 2048);
        // Whatever is acknowledged of it finds a state, and the end of it leaves none.
        for us in 0..20_000 {
            sampler.on_ack(start + MS * 30, start + Duration::from_micros(us), 1200);
        }
        assert!(sampler.on_end_acks(start + MS * 30, 0).is_some());
        assert!(sampler.flights.len() == 0);
    }

    #[test]
    fn forgets_acknowledgements_that_nobody_acknowledges() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        for ms in 0..2000 {
            let now = start + MS * ms;
            sampler.on_sent(now, 45);
            if ms % 100 == 99 {
                sampler.on_sent(now, 1000);
                sampler.on_ack(now + MS, now, 1000);
                sampler.on_end_acks(now + MS, 1000);
                assert!(sampler.flights.len() < 300, "{} kept", sampler.flights.len());
            }
        }
    }

    #[test]
    fn survives_what_it_never_sent() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start + MS);
        sampler.on_ack(start, start, u64::MAX);
        assert!(sampler.on_end_acks(start, u64::MAX).is_none());
        assert!(sampler.on_lost(start, u64::MAX).is_none());
        sampler.mark_app_limited();
        sampler.on_sent(start, u64::MAX);
        sampler.on_ack(start + MS, start, u64::MAX);
        sampler.on_end_acks(start, 0);
    }
}
