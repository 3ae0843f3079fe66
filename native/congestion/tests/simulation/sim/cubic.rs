//! Cross traffic: a TCP sender with CUBIC (RFC 9438), a packet at a time, that always has data.

use std::{collections::BTreeMap, time::Duration};

pub const PACKET: usize = 1500;
const C: f64 = 0.4;
const BETA: f64 = 0.7;
const REORDERING: u64 = 3;
const RTO: Duration = Duration::from_millis(300);

pub struct Cubic {
    cwnd: f64,
    ssthresh: f64,
    w_max: f64,
    epoch: Option<Duration>,
    next: u64,
    outstanding: BTreeMap<u64, Duration>,
    recovery_until: u64,
    srtt: f64,
    last_ack: Duration,
    pub delivered: u64,
    pub lost: u64,
}

impl Cubic {
    pub fn new(start: Duration) -> Self {
        Self {
            cwnd: 10.0,
            ssthresh: f64::MAX,
            w_max: 0.0,
            epoch: None,
            next: 0,
            outstanding: BTreeMap::new(),
            recovery_until: 0,
            srtt: 0.0,
            last_ack: start,
            delivered: 0,
            lost: 0,
        }
    }

    /// The number of the next packet, while the window has room.
    pub fn poll_send(&mut self, now: Duration) -> Option<u64> {
        if self.outstanding.len() as f64 >= self.cwnd.max(1.0) {
            return None;
        }
        self.next += 1;
        self.outstanding.insert(self.next, now);
        Some(self.next)
    }

    pub fn timeout(&self) -> Duration {
        self.last_ack + RTO
    }

    pub fn on_timeout(&mut self, now: Duration) {
        self.last_ack = now;
        self.lost += self.outstanding.len() as u64;
        self.outstanding.clear();
        self.ssthresh = (self.cwnd * BETA).max(2.0);
        self.cwnd = 1.0;
        self.epoch = None;
    }

    pub fn on_ack(&mut self, now: Duration, number: u64) {
        let Some(sent) = self.outstanding.remove(&number) else {
            return;
        };
        self.last_ack = now;
        self.delivered += PACKET as u64;
        let rtt = (now - sent).as_secs_f64();
        self.srtt = if self.srtt == 0.0 {
            rtt
        } else {
            self.srtt * 0.875 + rtt * 0.125
        };
        self.detect_loss(number);
        if number <= self.recovery_until {
            return;
        }
        if self.cwnd < self.ssthresh {
            self.cwnd += 1.0;
            return;
        }
        let epoch = *self.epoch.get_or_insert(now);
        let t = (now - epoch).as_secs_f64() + self.srtt;
        let k = (self.w_max * (1.0 - BETA) / C).cbrt();
        let target = (C * (t - k).powi(3) + self.w_max).clamp(self.cwnd, 1.5 * self.cwnd);
        // The Reno-friendly region of section 4.3.
        let alpha = 3.0 * (1.0 - BETA) / (1.0 + BETA);
        self.cwnd += ((target - self.cwnd) / self.cwnd).max(alpha / self.cwnd);
    }

    fn detect_loss(&mut self, acked: u64) {
        let mut newest = 0;
        while let Some((&first, _)) = self.outstanding.first_key_value() {
            if first + REORDERING > acked {
                break;
            }
            self.outstanding.remove(&first);
            self.lost += 1;
            newest = first;
        }
        if newest > self.recovery_until {
            self.recovery_until = self.next;
            self.w_max = if self.cwnd < self.w_max {
                self.cwnd * (1.0 + BETA) / 2.0
            } else {
                self.cwnd
            };
            self.ssthresh = (self.cwnd * BETA).max(2.0);
            self.cwnd = self.ssthresh;
            self.epoch = None;
        }
    }
}
