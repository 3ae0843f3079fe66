//! An application that does not always have data.

use congestion::State;

use super::sim::{App, Measure, Options, Path, World, bbr, bulk, secs};

const PATH: f64 = 10.0;

#[test]
fn a_modest_application_does_not_inflate_the_estimate() {
    let out = Path::delay(PATH).bottleneck(50.0, 40.0);
    for (bytes, ms) in [(20_000, 20.0), (2_000, 5.0), (100, 50.0), (200_000, 200.0)] {
        let mut world = World::new(out, Path::delay(PATH), 1);
        world.add(bbr(7), App::Chunks(bytes, secs(ms / 1e3)), secs(0.0));
        world.run_until(secs(20.0));
        let estimate = world.flows[0].sender.bbr().max_bw() as f64 * 8e-6;
        println!("{bytes} bytes each {ms} ms: estimate {estimate:.1} Mbit/s");
        assert!(estimate < 60.0, "{estimate}");
        let wanted = bytes as f64 * 8e-3 / ms;
        let got = world.flows[0].receiver.received as f64 * 8e-6 / 20.0;
        assert!(got > wanted * 0.97, "{got} of {wanted}");
    }
}

#[test]
fn a_pause_does_not_collapse_the_estimate() {
    let mut world = World::new(Path::delay(PATH).bottleneck(50.0, 40.0), Path::delay(PATH), 1);
    world.add(bbr(7), App::Bulk, secs(0.0));
    world.run_until(secs(6.0));
    world.flows[0].sender.app = App::Chunks(2_000, secs(0.02));
    world.run_until(secs(30.0));
    let estimate = world.flows[0].sender.bbr().max_bw() as f64 * 8e-6;
    assert!((40.0..60.0).contains(&estimate), "{estimate}");
    world.flows[0].sender.app = App::Bulk;
    let measure = Measure::start(&mut world, 0);
    world.run_until(secs(31.0));
    let report = measure.end(&mut world);
    println!("first second after 24 s of trickle  {report}");
    assert!(report.mbit > 40.0, "{report}");
    assert!(report.dropped < 0.02, "{report}");
}

#[test]
fn idle_is_not_probed_and_restarts_at_once() {
    let mut world = World::new(Path::delay(PATH).bottleneck(50.0, 40.0), Path::delay(PATH), 1);
    world.add(bbr(7), App::Bulk, secs(0.0));
    world.run_until(secs(4.0));
    world.flows[0].sender.app = App::Chunks(1_000_000, secs(8.0));
    world.run_until(secs(11.9));
    let before = world.flows[0].receiver.received;
    world.run_until(secs(12.3));
    let megabytes = (world.flows[0].receiver.received - before) as f64 / 1e6;
    println!("{megabytes:.2} MB within 0.4 s of a restart from idle");
    assert_ne!(world.flows[0].sender.bbr().state(), State::ProbeRtt);
    assert!(megabytes > 0.99, "{megabytes}");
}

#[test]
fn cubic_can_be_chosen() {
    let mut options = bbr(7);
    options.factory = congestion::Algorithm::Cubic.factory();
    let out = Path::delay(PATH).bottleneck(50.0, 40.0);
    let report = bulk(
        "CUBIC, 50 Mbit/s, 20 ms",
        out,
        Path::delay(PATH),
        options,
        App::Bulk,
        10.0,
    );
    assert!(report.mbit > 40.0, "{report}");
}

#[test]
fn a_small_window_of_the_peer_is_not_raced_against() {
    let options = Options {
        window: 1 << 20,
        ..bbr(7)
    };
    let mut world = World::new(Path::delay(50.0).bottleneck(1000.0, 5.0), Path::delay(50.0), 1);
    world.add(options, App::Bulk, secs(0.0));
    world.run_until(secs(5.0));
    let measure = Measure::start(&mut world, 0);
    world.run_until(secs(10.0));
    let report = measure.end(&mut world);
    let pace = world.flows[0].sender.bbr().pacing_rate() as f64 * 8e-6;
    println!("window of 1 MB, 100 ms: {report}, paced at {pace:.0} Mbit/s");
    assert!(report.mbit > 60.0, "{report}");
    assert!(pace < report.mbit * 1.6, "{pace}");
}

/// Pages, then a download: what small exchanges leave behind must not slow it down.
#[test]
fn a_download_after_small_exchanges_starts_fast() {
    for (bytes, ms) in [
        (1_000, 10.0),
        (1_500, 100.0),
        (15_000, 100.0),
        (15_000, 30.0),
        (60_000, 300.0),
    ] {
        for every in [0, 10] {
            let options = Options {
                ack_every: every,
                ..bbr(7)
            };
            let mut world = World::new(Path::delay(15.0).bottleneck(200.0, 40.0), Path::delay(15.0), 1);
            world.add(options, App::Chunks(bytes, secs(ms / 1e3)), secs(0.0));
            world.run_until(secs(8.0));
            let state = world.flows[0].sender.bbr().state();
            world.flows[0].sender.app = App::Bulk;
            let measure = Measure::start(&mut world, 0);
            world.run_until(secs(8.5));
            let report = measure.end(&mut world);
            println!("after {bytes} bytes each {ms} ms, ACK each {every}, {state:?}: {report}");
            assert!(report.mbit > 100.0, "{report}");
        }
    }
}
