//! A path that changes under the flow.

use congestion::State;

use super::sim::{App, Measure, Path, World, bbr, secs};

fn started(path: Path) -> World {
    let mut world = World::new(path, Path::delay(10.0), 1);
    world.add(bbr(7), App::Bulk, secs(0.0));
    world.run_until(secs(6.0));
    world
}

fn rate(world: &mut World, name: &str, from: f64, to: f64) -> f64 {
    world.run_until(secs(from));
    let measure = Measure::start(world, 0);
    world.run_until(secs(to));
    let report = measure.end(world);
    println!("{name:20} {from:4} to {to:4} s {report}");
    report.mbit
}

#[test]
fn bandwidth_drops_to_a_tenth_and_comes_back() {
    let wide = Path::delay(10.0).bottleneck(100.0, 40.0);
    let mut world = started(wide);
    world.out.path = Path::delay(10.0).bottleneck(10.0, 40.0);
    rate(&mut world, "100 to 10 Mbit/s", 6.0, 7.0);
    let after = rate(&mut world, "100 to 10 Mbit/s", 12.0, 20.0);
    assert!((7.5..10.0).contains(&after), "{after}");
    let estimate = world.flows[0].sender.bbr().max_bw() as f64 * 8e-6;
    assert!(
        (7.0..13.0).contains(&estimate),
        "the estimate follows: {estimate}"
    );
    world.out.path = wide;
    rate(&mut world, "10 to 100 Mbit/s", 20.0, 21.0);
    let back = rate(&mut world, "10 to 100 Mbit/s", 24.0, 30.0);
    assert!(back > 85.0, "{back}");
}

#[test]
fn the_path_becomes_longer() {
    let mut world = started(Path::delay(10.0).bottleneck(100.0, 40.0));
    world.out.path = Path::delay(60.0).bottleneck(100.0, 40.0);
    rate(&mut world, "20 to 70 ms", 6.0, 12.0);
    let after = rate(&mut world, "20 to 70 ms", 18.0, 24.0);
    assert!(after > 85.0, "{after}");
    let min_rtt = world.flows[0].sender.bbr().min_rtt().expect("a round trip");
    assert!((secs(0.069)..secs(0.075)).contains(&min_rtt), "{min_rtt:?}");
}

#[test]
fn the_path_is_gone_for_a_while() {
    let path = Path::delay(10.0).bottleneck(50.0, 40.0);
    let mut world = started(path);
    world.out.path = path.loss(1.0);
    world.run_until(secs(8.0));
    let window = world.flows[0].sender.bbr();
    println!("after two seconds of silence: {:?}", window.state());
    world.out.path = path;
    let after = rate(&mut world, "back after 2 s", 10.0, 15.0);
    assert!(after > 40.0, "{after}");
}

#[test]
fn the_propagation_delay_is_probed_and_the_rate_returns() {
    let mut world = started(Path::delay(10.0).bottleneck(50.0, 40.0));
    let (mut probes, mut inside) = (0, false);
    for ms in 6_000..30_000 {
        world.run_until(secs(f64::from(ms) / 1e3));
        let probing = world.flows[0].sender.bbr().state() == State::ProbeRtt;
        probes += u32::from(probing && !inside);
        inside = probing;
    }
    assert!((3..=6).contains(&probes), "{probes} in 24 s");
    let after = rate(&mut world, "after ProbeRTT", 30.0, 40.0);
    assert!(after > 45.0, "{after}");
}

#[test]
fn every_phase_of_the_cycle_is_seen() {
    let mut world = World::new(Path::delay(10.0).bottleneck(50.0, 40.0), Path::delay(10.0), 1);
    world.add(bbr(7), App::Bulk, secs(0.0));
    let mut order = Vec::new();
    for ms in 100..12_000 {
        world.run_until(secs(f64::from(ms) / 1e3));
        let state = world.flows[0].sender.bbr().state();
        if order.last() != Some(&state) {
            order.push(state);
        }
    }
    use State::{Drain, ProbeBwCruise, ProbeBwDown, ProbeBwRefill, ProbeBwUp, ProbeRtt, Startup};
    assert!(order.contains(&ProbeBwDown) && order.contains(&ProbeRtt));
    // DOWN ends with the acknowledgement that begins it where Drain has left no queue.
    order.retain(|&state| state != ProbeBwDown);
    let start = [
        Startup,
        Drain,
        ProbeBwCruise,
        ProbeBwRefill,
        ProbeBwUp,
        ProbeBwCruise,
        ProbeBwRefill,
    ];
    assert_eq!(order[..start.len()], start);
}
