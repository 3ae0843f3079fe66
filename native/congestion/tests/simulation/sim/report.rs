//! What a flow did in a part of a run.

use std::{fmt, time::Duration};

use super::{App, Options, Path, World, secs};

/// One flow by itself for `seconds`, its start included.
pub fn bulk(name: &str, out: Path, back: Path, options: Options, app: App, seconds: f64) -> Report {
    let mut world = World::new(out, back, 1);
    world.add(options, app, secs(0.0));
    world.run_until(secs(0.0));
    let measure = Measure::start(&mut world, 0);
    world.run_until(secs(seconds));
    let report = measure.end(&mut world);
    println!("{name:36} {report}");
    report
}

/// Counts at the start of the part.
#[derive(Clone, Copy)]
pub struct Measure {
    flow: usize,
    since: Duration,
    received: u64,
    lost: u64,
    sent: u64,
    at_random: u64,
    dropped: u64,
    queueing: usize,
    batches: u64,
    datagrams: u64,
    cubic: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Megabits of the application's data a second.
    pub mbit: f64,
    /// Share of the sent packets that the queue had no room for.
    pub dropped: f64,
    /// Share of the sent packets that were sent again beyond what was lost at random.
    pub again: f64,
    /// Medians and 99th percentile of the round trip that a packet saw, in milliseconds.
    pub rtt_p50: f64,
    pub rtt_p99: f64,
    /// Datagrams a transmission.
    pub batch: f64,
    /// The TCP flow's megabits a second.
    pub cubic: f64,
}

impl Measure {
    pub fn start(world: &mut World, flow: usize) -> Self {
        let cubic = world.cubic.as_ref().map_or(0, |cubic| cubic.delivered);
        let since = world.now;
        let flows = &mut world.flows[flow];
        let stats = flows.sender.connection().stats().path;
        Self {
            flow,
            since,
            received: flows.receiver.received,
            lost: stats.lost_packets,
            sent: stats.sent_packets,
            at_random: flows.counters.lost_at_random,
            dropped: flows.counters.dropped,
            queueing: flows.counters.queueing.len(),
            batches: flows.sender.batches,
            datagrams: flows.sender.datagrams,
            cubic,
        }
    }

    pub fn end(&self, world: &mut World) -> Report {
        let end = Self::start(world, self.flow);
        let seconds = (world.now - self.since).as_secs_f64();
        let share = |part: u64| part as f64 / (end.sent - self.sent).max(1) as f64;
        let base = (world.out.path.delay + world.back.path.delay).as_secs_f64() * 1e3;
        let mut queueing = world.flows[self.flow].counters.queueing[self.queueing..].to_vec();
        queueing.sort_unstable();
        let rtt = |p: f64| {
            let index = (queueing.len() as f64 * p) as usize;
            base + f64::from(queueing.get(index).copied().unwrap_or(0)) / 1e3
        };
        Report {
            mbit: (end.received - self.received) as f64 * 8.0 / seconds / 1e6,
            dropped: share(end.dropped - self.dropped),
            again: share((end.lost - self.lost).saturating_sub(end.at_random - self.at_random)),
            rtt_p50: rtt(0.5),
            rtt_p99: rtt(0.99),
            batch: (end.datagrams - self.datagrams) as f64 / (end.batches - self.batches).max(1) as f64,
            cubic: (end.cubic - self.cubic) as f64 * 8.0 / seconds / 1e6,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:8.1} Mbit/s  again {:5.2} %  dropped {:5.2} %  rtt {:6.1} / {:6.1} ms  batch {:4.1}",
            self.mbit,
            self.again * 100.0,
            self.dropped * 100.0,
            self.rtt_p50,
            self.rtt_p99,
            self.batch
        )?;
        if self.cubic > 0.0 {
            write!(f, "  cubic {:6.1}", self.cubic)?;
        }
        Ok(())
    }
}
