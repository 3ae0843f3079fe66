//! A controller that is told anything, in any order.

use std::{
    any::Any,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use congestion::BbrConfig;
use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerFactory},
};

use super::sim::{App, Dice, Options, Path, World, bbr, secs};

/// quinn-proto lets nobody else make an estimator, so this takes the one that a connection shows.
#[derive(Clone, Default)]
struct Spy(Arc<Mutex<Option<RttEstimator>>>);

impl ControllerFactory for Spy {
    fn build(self: Arc<Self>, _: Instant, _: u16) -> Box<dyn Controller> {
        Box::new((*self).clone())
    }
}

impl Controller for Spy {
    fn on_ack(&mut self, _: Instant, _: Instant, _: u64, _: bool, rtt: &RttEstimator) {
        *self.0.lock().expect("one thread") = Some(*rtt);
    }
    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}
    fn on_mtu_update(&mut self, _: u16) {}
    fn window(&self) -> u64 {
        100_000
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
    fn initial_window(&self) -> u64 {
        100_000
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

fn estimator() -> RttEstimator {
    let spy = Spy::default();
    let mut world = World::new(Path::delay(10.0), Path::delay(10.0), 1);
    world.add(
        Options {
            factory: Arc::new(spy.clone()),
            paced: false,
            ..bbr(1)
        },
        App::Bulk,
        secs(0.0),
    );
    world.run_until(secs(0.1));
    let seen = *spy.0.lock().expect("one thread");
    seen.expect("an acknowledgement")
}

fn amount(dice: &mut Dice) -> u64 {
    match dice.bits() % 6 {
        0 => 0,
        1 => u64::MAX,
        2 => dice.bits(),
        _ => dice.bits() % 100_000,
    }
}

fn instant(dice: &mut Dice, base: Instant, now: Instant) -> Instant {
    let span = now.duration_since(base).as_nanos().max(1) as u64;
    base + Duration::from_nanos(dice.bits() % span)
}

fn torment(seed: u64, steps: u32) {
    let (mut dice, base, rtt) = (Dice::new(seed), Instant::now(), estimator());
    let mut config = BbrConfig::default();
    config.seed(seed).initial_packets(dice.bits());
    let mut bbr: Box<dyn Controller> = Arc::new(config).build(base, dice.bits() as u16);
    let mut now = base + Duration::from_nanos(1);
    for _ in 0..steps {
        now += Duration::from_nanos(match dice.bits() % 8 {
            0 => 0,
            1 => dice.bits() % 6_000_000_000,
            _ => dice.bits() % 3_000_000,
        });
        match dice.bits() % 7 {
            0 | 1 => bbr.on_sent(now, amount(&mut dice), dice.bits()),
            2 | 3 => {
                let sent = instant(&mut dice, base, now);
                bbr.on_ack(now, sent, amount(&mut dice), dice.falls(0.3), &rtt);
            }
            4 => bbr.on_end_acks(now, amount(&mut dice), dice.falls(0.3), Some(dice.bits())),
            5 => {
                let sent = instant(&mut dice, base, now);
                bbr.on_congestion_event(now, sent, dice.falls(0.1), amount(&mut dice));
            }
            _ => bbr.on_mtu_update(dice.bits() as u16),
        }
        let window = bbr.window();
        assert!((4 * 1200..=1 << 32).contains(&window), "{window}");
        assert!(bbr.metrics().pacing_rate.is_some_and(|rate| rate > 0));
        if dice.falls(0.001) {
            bbr = bbr.clone_box();
        }
    }
}

#[test]
fn nothing_it_is_told_breaks_it() {
    for seed in 0..200 {
        torment(seed, 2_000);
    }
}

#[test]
fn a_clock_that_runs_backwards_does_not_break_it() {
    let (base, rtt) = (Instant::now() + Duration::from_secs(60), estimator());
    let mut bbr = Arc::new(BbrConfig::default()).build(base, 1200);
    for step in 0..1000 {
        let now = base - Duration::from_millis(step);
        bbr.on_sent(now, 12_000, step);
        bbr.on_ack(now, now + Duration::from_millis(5), 1200, false, &rtt);
        bbr.on_end_acks(now, 10_000, false, Some(step));
        bbr.on_congestion_event(now, now + Duration::from_millis(9), false, 1200);
    }
    assert!(bbr.window() > 0);
}
