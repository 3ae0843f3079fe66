//! How a stream and its target break off, whatever else is on its way then.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::io::{ErrorKind, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use engine::events::{Event, Parting};
use support::exit::{Exit, MUCH};
use support::{End, bytes};

impl Exit {
    /// The peer speaks until nobody takes more, as the target reads nothing. Gives what was taken.
    fn fills_up(&mut self) -> Vec<u8> {
        let up = bytes(MUCH, 7);
        let mut sent = 0;
        loop {
            let taken = self.pair.write(End::Server, self.stream, &up[sent..]);
            self.settle();
            if taken == 0 {
                break;
            }
            sent += taken;
        }
        assert!(sent < up.len());
        up[..sent].to_vec()
    }

    /// What the target reads until its end (Ok) or a break (Err).
    fn remote_hears_all(&mut self) -> (Vec<u8>, Result<(), ErrorKind>) {
        let (heard, over) = self.remote_hears(usize::MAX);
        (heard, over.unwrap())
    }
}

#[test]
fn an_end_that_was_forgotten_comes_behind_what_a_slow_target_has_not_taken() {
    let mut exit = Exit::new();
    let up = exit.fills_up();
    exit.splices.end_found(exit.stream);
    exit.settle();
    assert!(exit.remote_hears_all() == (up, Ok(())));
}

#[test]
fn a_reset_is_noticed_while_the_target_takes_nothing() {
    let mut exit = Exit::new();
    let up = exit.fills_up();
    exit.pair.server.reset(exit.stream, 0);
    exit.pair.server.stop(exit.stream, 0);
    exit.settle();
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
    assert!(!exit.hung_up());
    // What was read of it is still delivered.
    let (heard, over) = exit.remote_hears_all();
    assert_eq!(over, Err(ErrorKind::ConnectionReset));
    assert!(heard.len() > 100_000 && up.starts_with(&heard));
    exit.until(|exit| exit.hung_up());
}

#[test]
fn what_lingers_for_a_target_that_takes_nothing_is_given_up_in_the_end() {
    let mut exit = Exit::new();
    exit.fills_up();
    exit.splices.break_at(exit.stream, 0);
    exit.settle();
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
    exit.pair.now += Duration::from_secs(290);
    exit.settle();
    assert!(!exit.hung_up());
    assert!(exit.splices.next_timeout().is_some());
    exit.pair.now += Duration::from_secs(41);
    exit.settle();
    assert!(exit.hung_up());
    // Nothing is left to look at.
    exit.pair.now += Duration::from_secs(31);
    exit.settle();
    assert_eq!(exit.splices.next_timeout(), None);
}

#[test]
fn a_peer_that_takes_nothing_more_is_still_heard_to_its_end() {
    let mut exit = Exit::new();
    exit.pair.server.stop(exit.stream, 0);
    exit.settle();
    // The peer is answered at once, and what the target says is lost.
    assert!(
        exit.pair.server_events.contains(&Event::Reset(exit.stream, 0))
            || exit.pair.server_events.contains(&Event::Available)
            || !exit.pair.client.is_kept(exit.stream)
    );
    exit.remote.write_all(&bytes(500_000, 8)).unwrap();
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.settle();
    exit.says(b"still");
    assert_eq!(exit.remote_hears(5), (b"still".to_vec(), None));
    assert_eq!(exit.parted(), None);
    exit.pair.server.finish_stream(exit.stream);
    assert_eq!(exit.remote_hears(1), (vec![], Some(Ok(()))));
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::Complete));
}

#[test]
fn when_it_has_said_all_a_target_that_it_does_not_hear_is_broken_off() {
    let mut exit = Exit::new();
    exit.pair.server.stop(exit.stream, 0);
    exit.says(b"all");
    exit.pair.server.finish_stream(exit.stream);
    let (heard, _) = exit.remote_hears(3);
    assert_eq!(heard, b"all");
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
}

#[test]
fn nobody_is_told_of_a_break_who_takes_nothing_more() {
    let mut exit = Exit::new();
    exit.pair.server.stop(exit.stream, 0);
    exit.settle();
    exit.breaks_off();
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
    assert_eq!(exit.splices.leftover(exit.stream), None);
}

#[test]
fn a_target_that_broke_off_before_they_were_joined_is_told_of_behind_what_it_said() {
    let mut exit = Exit::with((b"", b"", false), |_, _| {});
    exit.remote.write_all(b"before").unwrap();
    exit.breaks_off();
    exit.until(|exit| exit.hung_up() && exit.heard.len() >= 6);
    assert_eq!(exit.heard, b"before");
    assert_eq!(exit.parted(), Some(Parting::TargetBroke));
}
