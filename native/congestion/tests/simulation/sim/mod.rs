//! A deterministic network in memory: real quinn-proto endpoints and a virtual clock.

mod crypto;
mod cubic;
mod end;
mod link;
mod random;
mod report;

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use congestion::BbrConfig;
use cubic::Cubic;
use end::Datagram;
pub use end::{App, End, Options};
pub use link::Path;
use link::{Counters, Link};
use quinn_proto::EcnCodepoint;
pub use random::Dice;
pub use report::{Measure, Report, bulk};

/// Bytes of IP and UDP around a datagram.
const HEADERS: usize = 28;

pub fn bbr(seed: u64) -> Options {
    let mut config = BbrConfig::default();
    config.seed(seed);
    Options {
        factory: Arc::new(config),
        paced: true,
        window: 16 << 20,
        tick: Duration::ZERO,
        seed,
        ack_every: 0,
    }
}

pub fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub struct Flow {
    pub sender: End,
    pub receiver: End,
    pub counters: Counters,
}

enum Event {
    ToReceiver(usize, Datagram),
    ToSender(usize, Datagram),
    WakeSender(usize),
    WakeReceiver(usize),
    Start(usize),
    CubicArrival(u64),
    CubicAck(u64),
    CubicWake,
}

/// Flows that share a bottleneck on their way out, and the way back.
pub struct World {
    base: Instant,
    pub now: Duration,
    pub out: Link,
    pub back: Link,
    pub flows: Vec<Flow>,
    pub cubic: Option<Cubic>,
    cubic_counters: Counters,
    back_counters: Counters,
    events: BTreeMap<Reverse<(Duration, u64)>, Event>,
    serial: u64,
}

impl World {
    pub fn new(out: Path, back: Path, seed: u64) -> Self {
        Self {
            base: Instant::now(),
            now: Duration::ZERO,
            out: Link::new(out, seed),
            back: Link::new(back, seed ^ 0xbac),
            flows: Vec::new(),
            cubic: None,
            cubic_counters: Counters::default(),
            back_counters: Counters::default(),
            events: BTreeMap::new(),
            serial: 0,
        }
    }

    /// Adds a connection whose dialling end sends; it starts at `at`.
    pub fn add(&mut self, options: Options, app: App, at: Duration) -> usize {
        self.add_both(options, app, App::Sink, at)
    }

    /// The same with what the other end sends.
    pub fn add_both(&mut self, options: Options, app: App, back: App, at: Duration) -> usize {
        self.flows.push(Flow {
            sender: End::new(self.base, options.clone(), app, false),
            receiver: End::new(self.base, options, back, true),
            counters: Counters::default(),
        });
        let flow = self.flows.len() - 1;
        self.schedule(at, Event::Start(flow));
        flow
    }

    /// Adds the TCP flow.
    pub fn add_cubic(&mut self, at: Duration) {
        self.cubic = Some(Cubic::new(at));
        self.schedule(at, Event::CubicWake);
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.serial += 1;
        self.events.insert(Reverse((at, self.serial)), event);
    }

    pub fn run_until(&mut self, until: Duration) {
        while let Some(entry) = self.events.last_entry() {
            let Reverse((at, _)) = *entry.key();
            if at > until {
                break;
            }
            let event = entry.remove();
            self.now = at;
            self.handle(event);
        }
        self.now = until;
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Start(flow) => {
                self.flows[flow].sender.connect(self.now);
                self.drive_sender(flow);
            }
            Event::ToReceiver(flow, datagram) => {
                self.flows[flow].receiver.handle(self.now, datagram);
                self.drive_receiver(flow);
            }
            Event::ToSender(flow, datagram) => {
                self.flows[flow].sender.handle(self.now, datagram);
                self.drive_sender(flow);
            }
            Event::WakeSender(flow) => {
                if self.flows[flow].sender.wake == Some(self.now) {
                    self.drive_sender(flow);
                }
            }
            Event::WakeReceiver(flow) => {
                if self.flows[flow].receiver.wake == Some(self.now) {
                    self.drive_receiver(flow);
                }
            }
            Event::CubicArrival(number) => {
                if let Some(back) = self.back.send(self.now, 60, &mut self.back_counters) {
                    self.schedule(back.at, Event::CubicAck(number));
                }
            }
            Event::CubicAck(number) => {
                let now = self.now;
                if let Some(cubic) = &mut self.cubic {
                    cubic.on_ack(now, number);
                }
                self.drive_cubic();
            }
            Event::CubicWake => {
                let now = self.now;
                if let Some(cubic) = self.cubic.as_mut().filter(|cubic| cubic.timeout() <= now) {
                    cubic.on_timeout(now);
                }
                self.drive_cubic();
                let next = self.cubic.as_ref().map_or(now, Cubic::timeout);
                self.schedule(next.max(now + secs(0.001)), Event::CubicWake);
            }
        }
    }

    fn drive_sender(&mut self, flow: usize) {
        let mut sent = Vec::new();
        let before = self.flows[flow].sender.wake;
        self.flows[flow].sender.drive(self.now, &mut sent);
        for datagram in sent {
            let bytes = datagram.data.len() + HEADERS;
            let counters = &mut self.flows[flow].counters;
            if let Some(arrival) = self.out.send(self.now, bytes, counters) {
                let ecn = datagram
                    .ecn
                    .map(|ecn| if arrival.marked { EcnCodepoint::Ce } else { ecn });
                self.schedule(arrival.at, Event::ToReceiver(flow, Datagram { ecn, ..datagram }));
            }
        }
        self.wake(before, self.flows[flow].sender.wake, Event::WakeSender(flow));
    }

    fn drive_receiver(&mut self, flow: usize) {
        let mut sent = Vec::new();
        let before = self.flows[flow].receiver.wake;
        self.flows[flow].receiver.drive(self.now, &mut sent);
        for datagram in sent {
            let bytes = datagram.data.len() + HEADERS;
            if let Some(arrival) = self.back.send(self.now, bytes, &mut self.back_counters) {
                self.schedule(arrival.at, Event::ToSender(flow, datagram));
            }
        }
        self.wake(before, self.flows[flow].receiver.wake, Event::WakeReceiver(flow));
    }

    fn wake(&mut self, before: Option<Duration>, wake: Option<Duration>, event: Event) {
        let Some(at) = wake else {
            return;
        };
        if before != wake || at <= self.now {
            // A timer that is due at once gets its next turn when time has passed.
            let at = at.max(self.now + Duration::from_micros(1));
            match event {
                Event::WakeSender(flow) => self.flows[flow].sender.wake = Some(at),
                Event::WakeReceiver(flow) => self.flows[flow].receiver.wake = Some(at),
                _ => {}
            }
            self.schedule(at, event);
        }
    }

    fn drive_cubic(&mut self) {
        let now = self.now;
        while let Some(number) = self.cubic.as_mut().and_then(|cubic| cubic.poll_send(now)) {
            let arrival = self.out.send(now, cubic::PACKET, &mut self.cubic_counters);
            if let Some(arrival) = arrival {
                self.schedule(arrival.at, Event::CubicArrival(number));
            }
        }
    }
}
