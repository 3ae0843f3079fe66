//! Figures over simulated paths. `cargo test --test paths -- --nocapture` prints them.

mod sim;

use sim::{App, Measure, Path, Report, World, bbr, secs};

/// One bulk flow, measured from `from` to `to` seconds.
fn bulk(name: &str, out: Path, back: Path, from: f64, to: f64) -> Report {
    let mut world = World::new(out, back, 1);
    world.add(bbr(7), App::Bulk, secs(0.0));
    world.run_until(secs(from));
    let measure = Measure::start(&mut world, 0);
    world.run_until(secs(to));
    let report = measure.end(&mut world);
    println!("{name:32} {report}");
    report
}

#[test]
fn bottleneck() {
    for loss in [0.0, 0.01] {
        let out = Path::delay(10.0).bottleneck(50.0, 40.0).loss(loss);
        let report = bulk(
            &format!("50 Mbit/s 20 ms {}%", loss * 100.0),
            out,
            Path::delay(10.0),
            0.0,
            20.0,
        );
        assert!(report.mbit >= 45.0);
        assert!(report.again <= 0.02);
        assert!(report.rtt_p50 < 45.0);
    }
}

#[test]
fn long_and_lossy() {
    for (delay, loss) in [(50.0, 0.0), (50.0, 0.01), (50.0, 0.03), (10.0, 0.01)] {
        let out = Path::delay(delay).bottleneck(1000.0, 100.0).loss(loss);
        let report = bulk(
            &format!("1 Gbit/s {} ms {}%", delay * 2.0, loss * 100.0),
            out,
            Path::delay(delay),
            0.0,
            10.0,
        );
        assert!(report.mbit >= 200.0);
    }
}
