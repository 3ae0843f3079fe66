//! Streams that are joined with targets: real TCP on one side, a session in memory on the other.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use engine::events::{Event, Failure, Parting};
use engine::splice::Leftover;
use support::exit::{Exit, LIMIT, MUCH};
use support::{End, bytes};

#[test]
fn both_directions_and_their_ends_are_passed_on() {
    let mut exit = Exit::new();
    let (up, down) = (bytes(200_000, 1), bytes(300_000, 2));
    exit.says(&up);
    assert_eq!(exit.remote_hears(up.len()), (up, None));
    // One end does not end the other direction.
    exit.pair.server.finish_stream(exit.stream);
    assert_eq!(exit.remote_hears(1), (vec![], Some(Ok(()))));
    let mut rest = &down[..];
    exit.until(|exit| {
        rest = &rest[exit.remote.write(rest).unwrap_or(0)..];
        rest.is_empty()
    });
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.until(|exit| exit.ended);
    assert_eq!(exit.heard, down);
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::Complete));
}

#[test]
fn what_was_read_before_goes_first() {
    let mut exit = Exit::with((b"up", b"down", true), |_, _| {});
    assert_eq!(exit.remote_hears(3), (b"up".to_vec(), Some(Ok(()))));
    exit.remote.write_all(b" and more").unwrap();
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.until(|exit| exit.ended);
    assert_eq!(exit.heard, b"down and more");
    assert_eq!(exit.parted(), Some(Parting::Complete));
}

#[test]
fn what_the_peer_said_before_they_were_joined_is_not_overlooked() {
    let mut exit = Exit::with((b"", b"", false), |pair, stream| {
        pair.write(End::Server, stream, b"early");
        pair.server.finish_stream(stream);
        pair.run(LIMIT, |pair| {
            pair.client_events.contains(&Event::Readable(stream))
        });
    });
    assert_eq!(exit.remote_hears(6), (b"early".to_vec(), Some(Ok(()))));
}

#[test]
fn a_target_that_breaks_off_gives_the_stream_back_behind_what_it_said() {
    let mut exit = Exit::new();
    exit.says(b"1234");
    assert_eq!(exit.remote_hears(4).0, b"1234");
    let down = bytes(100_000, 3);
    exit.remote.write_all(&down).unwrap();
    exit.until(|exit| exit.heard.len() == down.len());
    exit.breaks_off();
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::TargetBroke));
    let left = Leftover {
        read: 4,
        written: down.len() as u64,
        ended: false,
        finished: false,
    };
    assert_eq!(exit.splices.leftover(exit.stream), Some(left));
    assert_eq!(exit.splices.leftover(exit.stream), None);
    assert_eq!(exit.heard, down);
    // The stream is still there, and told by events.
    exit.says(b"5");
    exit.until(|exit| exit.told.contains(&Event::Readable(exit.stream)));
    assert_eq!(exit.pair.write(End::Client, exit.stream, b"last"), 4);
}

#[test]
fn what_a_target_said_is_written_before_its_break_is_told() {
    let mut exit = Exit::new();
    let mut said = Vec::new();
    // The peer reads nothing: `turn`, not `until`.
    loop {
        let chunk = bytes(32_768, said.len() as u64 + 1);
        match exit.remote.write(&chunk) {
            Ok(count) => said.extend(&chunk[..count]),
            Err(_) => break,
        }
        exit.settle();
    }
    exit.breaks_off();
    exit.until(|exit| exit.parted().is_some());
    let left = exit.splices.leftover(exit.stream).unwrap();
    exit.until(|exit| exit.heard.len() as u64 >= left.written);
    assert_eq!(exit.heard.len() as u64, left.written);
    assert!(exit.heard.len() > 100_000 && said.starts_with(&exit.heard));
}

#[test]
fn a_stream_that_is_reset_breaks_the_target_off_behind_what_was_said() {
    let mut exit = Exit::new();
    exit.says(b"said");
    assert_eq!(exit.remote_hears(4).0, b"said");
    exit.pair.server.reset(exit.stream, 0);
    exit.pair.server.stop(exit.stream, 0);
    assert_eq!(
        exit.remote_hears(1),
        (vec![], Some(Err(ErrorKind::ConnectionReset)))
    );
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
    assert!(exit.hung_up());
}

#[test]
fn a_break_is_waited_for_until_all_before_it_is_read() {
    let mut exit = Exit::new();
    exit.splices.break_at(exit.stream, 9);
    exit.says(b"12345");
    assert_eq!(exit.remote_hears(5), (b"12345".to_vec(), None));
    exit.settle();
    assert_eq!(exit.parted(), None);
    exit.says(b"6789");
    let (heard, over) = exit.remote_hears(5);
    // What the system still had is lost with the reset.
    assert!(b"6789".starts_with(&heard));
    assert_eq!(over, Some(Err(ErrorKind::ConnectionReset)));
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
}

#[test]
fn a_break_behind_this_ends_own_end_is_told_apart() {
    let mut exit = Exit::new();
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.until(|exit| exit.ended);
    exit.splices.break_at(exit.stream, 0);
    exit.until(|exit| exit.parted().is_some());
    assert_eq!(exit.parted(), Some(Parting::StreamGoneFinished));
}

#[test]
fn a_break_is_told_behind_an_end_of_the_peer() {
    let mut exit = Exit::new();
    exit.pair.server.finish_stream(exit.stream);
    assert_eq!(exit.remote_hears(1), (vec![], Some(Ok(()))));
    exit.splices.break_at(exit.stream, 1);
    exit.until(|exit| exit.parted().is_some());
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
}

#[test]
fn what_was_said_to_a_slow_target_is_delivered_before_the_break() {
    let mut exit = Exit::new();
    let up = bytes(MUCH, 4);
    let mut sent = 0;
    // Until nobody takes more.
    loop {
        let taken = exit.pair.write(End::Server, exit.stream, &up[sent..]);
        exit.settle();
        if taken == 0 {
            break;
        }
        sent += taken;
    }
    assert!(sent < up.len());
    exit.splices.break_at(exit.stream, 1);
    exit.until(|exit| exit.parted().is_some());
    let mut heard = Vec::new();
    let mut all = [0; 65_536];
    exit.until(|exit| {
        while let Ok(count) = exit.remote.read(&mut all)
            && count > 0
        {
            heard.extend(&all[..count]);
        }
        exit.hung_up()
    });
    assert!(heard.len() > 100_000 && up.starts_with(&heard));
}

#[test]
fn a_target_that_reads_nothing_slows_the_peer_down() {
    let mut exit = Exit::new();
    let up = bytes(MUCH, 5);
    let mut sent = 0;
    for _ in 0..300 {
        sent += exit.pair.write(End::Server, exit.stream, &up[sent..]);
        exit.settle();
    }
    assert!(sent < up.len(), "all was taken");
    let mut heard: Vec<u8> = Vec::new();
    let mut room = vec![0; 1 << 20];
    exit.until(|exit| {
        sent += exit.pair.write(End::Server, exit.stream, &up[sent..]);
        if let Ok(count) = exit.remote.read(&mut room) {
            heard.extend(&room[..count]);
        }
        heard.len() == up.len()
    });
    assert!(heard == up);
}

#[test]
fn a_peer_that_reads_nothing_slows_the_target_down() {
    let mut exit = Exit::new();
    let down = bytes(MUCH, 6);
    let mut sent = 0;
    for _ in 0..300 {
        sent += exit.remote.write(&down[sent..]).unwrap_or(0);
        exit.settle();
    }
    assert!(sent < down.len(), "all was taken");
    exit.until(|exit| {
        sent += exit.remote.write(&down[sent..]).unwrap_or(0);
        exit.heard.len() == down.len()
    });
    assert!(exit.heard == down);
}

#[test]
fn a_target_that_takes_nothing_more_is_still_heard() {
    let mut exit = Exit::new();
    exit.remote.write_all(b"last words").unwrap();
    // Closed with something unread, it answers with a reset.
    exit.says(b"unread");
    exit.settle();
    exit.breaks_off();
    let began = exit.pair.now;
    exit.says(b"for nobody");
    exit.until(|exit| exit.parted().is_some());
    assert!(exit.pair.now - began < Duration::from_secs(200));
    assert_eq!(exit.parted(), Some(Parting::TargetBroke));
    assert_eq!(exit.heard, b"last words");
}

#[test]
fn an_end_that_the_peer_forgot_is_passed_on() {
    let mut exit = Exit::new();
    exit.says(b"all");
    assert_eq!(exit.remote_hears(3), (b"all".to_vec(), None));
    exit.splices.end_found(exit.stream);
    assert_eq!(exit.remote_hears(1), (vec![], Some(Ok(()))));
}

#[test]
fn who_is_half_closed_and_silent_is_given_up_and_who_speaks_is_not() {
    let mut exit = Exit::new();
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.until(|exit| exit.ended);
    for _ in 0..4 {
        exit.pair.now += Duration::from_secs(200);
        exit.says(b"x");
        assert_eq!(exit.remote_hears(1).0, b"x");
    }
    assert_eq!(exit.parted(), None);
    exit.pair.now += Duration::from_secs(331);
    exit.settle();
    assert_eq!(exit.parted(), Some(Parting::TargetBroke));
    assert!(exit.hung_up());
}

#[test]
fn the_sessions_end_breaks_every_target_off() {
    let mut exit = Exit::new();
    exit.says(b"said");
    assert_eq!(exit.remote_hears(4).0, b"said");
    let now = exit.pair.now;
    exit.pair.client.close(now, 0, b"");
    exit.splices.turn(&mut exit.pair.client, now);
    let mut buffer = [0; 10];
    let deadline = Instant::now() + LIMIT;
    let error = loop {
        assert!(Instant::now() < deadline);
        match exit.remote.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_target_where_nobody_listens_is_refused_and_one_that_is_hung_up_is_not_told_of() {
    let free: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut exit = Exit::new();
    let now = exit.pair.now;
    let silent = exit.splices.dial(free, now).unwrap();
    exit.splices.hang_up(silent);
    let refused = exit.splices.dial(free, now).unwrap();
    let told = Event::Undialled(refused, Failure::Refused);
    exit.until(|exit| exit.told.contains(&told));
    assert!(!exit.told.contains(&Event::Undialled(silent, Failure::Refused)));
    // One that is joined stays.
    exit.splices.hang_up(exit.target);
    exit.says(b"still");
    assert_eq!(exit.remote_hears(5).0, b"still");
}
