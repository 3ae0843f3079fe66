//! How fast one bulk flow is, what it loses, and what it does to the round trip.

use std::time::Duration;

use super::sim::{App, Options, Path, Report, bbr, bulk, secs};

fn run(name: &str, out: Path, back: Path, options: Options, seconds: f64) -> Report {
    bulk(name, out, back, options, App::Bulk, seconds)
}

#[test]
fn fills_a_bottleneck_without_filling_its_queue() {
    for loss in [0.0, 0.01] {
        let out = Path::delay(10.0).bottleneck(50.0, 40.0).loss(loss);
        let name = format!("50 Mbit/s, 20 ms, {} %", loss * 100.0);
        let report = run(&name, out, Path::delay(10.0), bbr(7), 20.0);
        assert!(report.mbit >= 45.0, "{report}");
        assert!(report.again <= 0.02, "{report}");
        assert!(report.rtt_p50 < 30.0, "{report}");
    }
}

#[test]
fn keeps_its_rate_on_long_and_lossy_paths() {
    // Round trip in ms, loss, and 1.2 times what Hysteria reaches there.
    for (rtt, loss, goal) in [
        (100.0, 0.0, 318.0),
        (100.0, 0.01, 232.0),
        (100.0, 0.03, 204.0),
        (20.0, 0.01, 770.0),
    ] {
        let out = Path::delay(rtt / 2.0).bottleneck(1000.0, 100.0).loss(loss);
        let name = format!("1 Gbit/s, {rtt} ms, {} %", loss * 100.0);
        let report = run(&name, out, Path::delay(rtt / 2.0), bbr(7), 10.0);
        assert!(report.mbit >= goal, "{report}");
        assert!(report.again <= 0.02, "{report}");
    }
}

#[test]
fn acknowledgements_may_be_lost_too() {
    let out = Path::delay(25.0).bottleneck(200.0, 50.0).loss(0.02);
    let report = run(
        "200 Mbit/s, 50 ms, 2 % both ways",
        out,
        Path::delay(25.0).loss(0.02),
        bbr(7),
        10.0,
    );
    assert!(report.mbit >= 150.0, "{report}");
}

#[test]
fn acknowledgements_may_come_in_bundles() {
    for ms in [1.0, 5.0, 20.0] {
        let back = Path {
            slot: secs(ms / 1e3),
            ..Path::delay(10.0)
        };
        let out = Path::delay(10.0).bottleneck(100.0, 80.0);
        let report = run(
            &format!("100 Mbit/s, 20 ms, bundles of {ms} ms"),
            out,
            back,
            bbr(7),
            10.0,
        );
        assert!(report.mbit >= 85.0, "{report}");
        assert!(report.again <= 0.02, "{report}");
    }
}

#[test]
fn round_trips_may_be_tiny() {
    for (us, mbit) in [(50.0, 5000.0), (200.0, 1000.0), (1000.0, 1000.0)] {
        let path = Path::delay(us / 2e3);
        let report = run(
            &format!("{mbit} Mbit/s, {us} us"),
            path.bottleneck(mbit, 2.0),
            path,
            bbr(7),
            0.5,
        );
        assert!(report.mbit >= mbit * 0.9, "{report}");
        assert!(report.again <= 0.02, "{report}");
    }
}

#[test]
fn the_loop_may_be_coarse_or_not_ask_the_pacer() {
    for (tick, paced) in [(1, true), (4, true), (0, false), (1, false)] {
        let options = Options {
            tick: Duration::from_millis(tick),
            paced,
            ..bbr(7)
        };
        let out = Path::delay(10.0).bottleneck(500.0, 40.0);
        let report = run(
            &format!("500 Mbit/s, tick {tick} ms, paced {paced}"),
            out,
            Path::delay(10.0),
            options,
            5.0,
        );
        assert!(report.mbit >= 430.0, "{report}");
        assert!(report.rtt_p50 < 45.0, "{report}");
    }
}

#[test]
fn a_shallow_buffer_is_not_overrun() {
    for (ms, goal) in [(1.0, 25.0), (4.0, 43.0)] {
        let out = Path::delay(10.0).bottleneck(50.0, ms);
        let report = run(
            &format!("50 Mbit/s, 20 ms, queue of {ms} ms"),
            out,
            Path::delay(10.0),
            bbr(7),
            15.0,
        );
        assert!(report.mbit >= goal, "{report}");
        assert!(report.dropped <= 0.02, "{report}");
    }
}

#[test]
fn marks_count_as_congestion() {
    let out = Path {
        mark_above: 30_000,
        ..Path::delay(10.0).bottleneck(50.0, 200.0)
    };
    let report = run(
        "50 Mbit/s, 20 ms, CE above 30 kB",
        out,
        Path::delay(10.0),
        bbr(7),
        15.0,
    );
    assert!(report.mbit >= 40.0, "{report}");
    assert!(report.rtt_p99 < 45.0, "{report}");
    let unmarked = run(
        "the same without marks",
        Path { mark_above: 0, ..out },
        Path::delay(10.0),
        bbr(7),
        15.0,
    );
    assert!(report.rtt_p99 < unmarked.rtt_p99, "{report} / {unmarked}");
}

#[test]
fn a_run_can_be_repeated() {
    let out = Path::delay(10.0).bottleneck(50.0, 40.0).loss(0.01);
    let twice = [0, 1].map(|_| format!("{:?}", run("once more", out, Path::delay(10.0), bbr(3), 3.0)));
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn acknowledgements_may_be_few() {
    for (mbit, rtt, queue) in [
        (2.0, 20.0, 400.0),
        (50.0, 20.0, 40.0),
        (500.0, 20.0, 40.0),
        (1000.0, 0.1, 2.0),
    ] {
        for every in [10, 40] {
            let path = Path::delay(rtt / 2.0);
            let options = Options {
                ack_every: every,
                ..bbr(7)
            };
            let name = format!("{mbit} Mbit/s, {rtt} ms, ACK each {every}");
            let seconds = if mbit > 500.0 { 1.0 } else { 8.0 };
            let report = run(&name, path.bottleneck(mbit, queue), path, options, seconds);
            assert!(report.mbit >= mbit * 0.85, "{report}");
            assert!(report.again <= 0.03, "{report}");
        }
    }
}
/// A function with a part of a core stands still for most of each period: then it handles all
/// acknowledgements and timers at once.
#[test]
fn a_loop_that_stands_still_keeps_its_rate() {
    for (mbit, rtt, stall, goal) in [
        (100.0, 20.0, 5, 85.0),
        (100.0, 20.0, 20, 85.0),
        (100.0, 100.0, 20, 75.0),
        (500.0, 1.0, 50, 250.0),
    ] {
        let back = Path {
            slot: Duration::from_millis(stall),
            ..Path::delay(rtt / 2.0)
        };
        let options = Options {
            tick: Duration::from_millis(stall),
            ..bbr(7)
        };
        let out = Path::delay(rtt / 2.0).bottleneck(mbit, 80.0);
        let report = run(
            &format!("{mbit} Mbit/s, {rtt} ms, stalls of {stall} ms"),
            out,
            back,
            options,
            10.0,
        );
        assert!(report.mbit >= goal, "{report}");
    }
}

#[test]
fn delay_may_vary() {
    for (mbit, ms, loss) in [(50.0, 5, 0.0), (50.0, 20, 0.01), (300.0, 10, 0.0)] {
        let jitter = Duration::from_millis(ms);
        let out = Path {
            jitter,
            ..Path::delay(15.0).bottleneck(mbit, 60.0).loss(loss)
        };
        let name = format!(
            "{mbit} Mbit/s, 30 ms and up to {} more, {} %",
            2 * ms,
            loss * 100.0
        );
        let report = run(
            &name,
            out,
            Path {
                jitter,
                ..Path::delay(15.0)
            },
            bbr(7),
            10.0,
        );
        assert!(report.mbit > mbit * 0.75, "{report}");
        assert!(report.again <= 0.02, "{report}");
    }
}
