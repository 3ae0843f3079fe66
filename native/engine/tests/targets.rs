//! Who waits for a session's targets.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use engine::driver::{Driver, Next};
use engine::events::{EVENT_WORDS, Event};
use engine::options::{Options, Role};
use support::{Identity, options};

const LIMIT: Duration = Duration::from_secs(20);

/// Sends until there is nothing left to do but to wait.
fn rest(driver: &mut Driver) {
    while driver.flush(Instant::now()) == Next::Again {
        driver.turn(Instant::now(), &mut []);
    }
}

#[test]
fn whoever_waits_is_woken_by_each_change_of_a_target() {
    let (own, peer) = (Identity::new(), Identity::new());
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut driver = Driver::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = Options {
        peer: silent.local_addr().unwrap(),
        ..options(Role::Client, &own, peer.pin)
    };
    driver.attach(&at, Instant::now()).unwrap();
    let (wake, woken) = channel();
    driver.on_target(Arc::new(move || {
        let _ = wake.send(());
    }));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (splices, _) = driver.splices().unwrap();
    let target = splices
        .dial(listener.local_addr().unwrap(), Instant::now())
        .unwrap();
    let (mut remote, _) = listener.accept().unwrap();
    rest(&mut driver);
    woken.recv_timeout(LIMIT).unwrap();
    let mut events = [0; EVENT_WORDS];
    assert_eq!(driver.turn(Instant::now(), &mut events), 1);
    assert_eq!(events, Event::Dialled(target).encode());

    // Once for each wait, and again after the next.
    rest(&mut driver);
    remote.write_all(b"x").unwrap();
    woken.recv_timeout(LIMIT).unwrap();
    remote.write_all(b"y").unwrap();
    driver.turn(Instant::now(), &mut []);
    assert!(woken.try_recv().is_err());
}
