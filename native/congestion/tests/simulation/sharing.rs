//! Flows that share a bottleneck.

use super::sim::{App, Measure, Options, Path, World, bbr, secs};

#[test]
fn leaves_cubic_its_share_and_takes_its_own() {
    for (queue, bbr_first) in [(40.0, true), (40.0, false), (10.0, true), (100.0, true)] {
        let mut shares = Vec::new();
        for seed in 1..=3 {
            let mut world = World::new(Path::delay(10.0).bottleneck(50.0, queue), Path::delay(10.0), seed);
            let (ours, theirs) = if bbr_first { (0.0, 5.0) } else { (5.0, 0.0) };
            world.add(bbr(seed), App::Bulk, secs(ours));
            world.add_cubic(secs(theirs));
            world.run_until(secs(8.0));
            let measure = Measure::start(&mut world, 0);
            world.run_until(secs(40.0));
            let report = measure.end(&mut world);
            println!("beside CUBIC, queue of {queue} ms, BBR first: {bbr_first:5} {report}");
            assert!(report.mbit + report.cubic > 45.0, "{report}");
            shares.push(report.mbit / (report.mbit + report.cubic));
        }
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        println!("share {mean:.2}");
        assert!((0.3..=0.7).contains(&mean), "{shares:?}");
    }
}

#[test]
fn two_flows_share_alike() {
    let mut world = World::new(Path::delay(10.0).bottleneck(50.0, 40.0), Path::delay(10.0), 1);
    world.add(bbr(7), App::Bulk, secs(0.0));
    world.add(bbr(8), App::Bulk, secs(5.0));
    world.run_until(secs(10.0));
    let measures = [0, 1].map(|flow| Measure::start(&mut world, flow));
    world.run_until(secs(40.0));
    let reports = measures.map(|measure| measure.end(&mut world));
    for report in reports {
        println!("two flows                        {report}");
        assert!(report.dropped <= 0.02, "{report}");
    }
    let (a, b) = (reports[0].mbit, reports[1].mbit);
    assert!(a + b > 45.0);
    let fairness = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!(fairness > 0.9, "{fairness}");
}

#[test]
fn a_late_flow_gets_in_while_eight_are_there() {
    let mut world = World::new(Path::delay(10.0).bottleneck(100.0, 60.0), Path::delay(10.0), 1);
    for flow in 0..8 {
        world.add(bbr(flow), App::Bulk, secs(0.1 * flow as f64));
    }
    world.add(bbr(99), App::Bulk, secs(5.0));
    world.run_until(secs(10.0));
    let measures: Vec<_> = (0..9).map(|flow| Measure::start(&mut world, flow)).collect();
    world.run_until(secs(25.0));
    let rates: Vec<_> = measures
        .iter()
        .map(|measure| measure.end(&mut world).mbit)
        .collect();
    let (sum, squares) = rates
        .iter()
        .fold((0.0, 0.0), |(s, q), rate| (s + rate, q + rate * rate));
    let fairness = sum * sum / (9.0 * squares);
    println!("nine flows: {rates:.1?}, fairness {fairness:.2}");
    assert!(sum > 85.0);
    assert!(fairness > 0.8);
}

#[test]
fn both_directions_are_used_at_once() {
    for (up, down, every) in [
        (50.0, 50.0, 0),
        (50.0, 50.0, 10),
        (100.0, 10.0, 10),
        (10.0, 100.0, 10),
    ] {
        let mut world = World::new(
            Path::delay(10.0).bottleneck(up, 40.0),
            Path::delay(10.0).bottleneck(down, 40.0),
            1,
        );
        world.add_both(
            Options {
                ack_every: every,
                ..bbr(7)
            },
            App::Bulk,
            App::Bulk,
            secs(0.0),
        );
        world.run_until(secs(2.0));
        let (measure, before) = (Measure::start(&mut world, 0), world.flows[0].sender.received);
        world.run_until(secs(12.0));
        let report = measure.end(&mut world);
        let back = (world.flows[0].sender.received - before) as f64 * 8e-6 / 10.0;
        println!("{up} up, {down} down: {report}, back {back:.1} Mbit/s");
        assert!(report.mbit > up * 0.75, "{report}");
        assert!(back > down * 0.75, "{back}");
    }
}

/// The other way begins to send after it has acknowledged for long.
#[test]
fn the_direction_may_turn() {
    for seed in 1..=12 {
        let loss = 0.01;
        let path = Path::delay(10.0).loss(loss);
        let mut world = World::new(path.bottleneck(400.0, 40.0), path.bottleneck(400.0, 40.0), seed);
        let options = Options {
            ack_every: 10,
            window: 4 << 20,
            ..bbr(seed)
        };
        world.add_both(options, App::Bulk, App::Chunks(300, secs(0.7)), secs(0.0));
        world.run_until(secs(4.0));
        world.flows[0].sender.app = App::Chunks(300, secs(0.7));
        world.run_until(secs(4.0 + 0.1 * seed as f64));
        let (since, before) = (world.now, world.flows[0].sender.received);
        world.flows[0].receiver.app = App::Bulk;
        world.run_until(since + secs(2.0));
        let rate = (world.flows[0].sender.received - before) as f64 * 8e-6 / 2.0;
        let bbr = world.flows[0].receiver.bbr();
        println!(
            "turned, {seed}: {rate:.1} Mbit/s, {:?}, bw {:.1}",
            bbr.state(),
            bbr.max_bw() as f64 * 8e-6
        );
        assert!(rate > 200.0, "{rate}");
    }
}
