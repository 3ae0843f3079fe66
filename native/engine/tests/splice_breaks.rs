//! How a stream and its target break off, whatever else is on its way then.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::time::{Duration, Instant};

use engine::events::{Event, Parting};
use support::exit::{Exit, LIMIT, MUCH};
use support::{End, bytes};

/// What takes as long is over for want of a word, and for no other reason.
const SILENCE: Duration = Duration::from_secs(200);

impl Exit {
    /// The peer speaks until nobody takes more, as the target reads nothing. Gives what was taken.
    fn fills_up(&mut self) -> Vec<u8> {
        let up = bytes(MUCH, 7);
        let mut sent = 0;
        // The system takes a while to find that it is full.
        let mut moved_at = Instant::now();
        while moved_at.elapsed() < Duration::from_millis(250) {
            let taken = self.pair.write(End::Server, self.stream, &up[sent..]);
            // Has it try again: the system does not tell of a little room.
            self.splices.break_at(self.stream, u64::MAX);
            self.settle();
            if taken > 0 {
                moved_at = Instant::now();
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
fn so_it_is_when_that_was_told_before_they_were_joined() {
    let mut exit = Exit::with((b"", b"", false), |pair, stream| {
        pair.server.stop(stream, 0);
        pair.run(LIMIT, |pair| {
            pair.client_events.contains(&Event::Stopped(stream, 0))
        });
    });
    exit.says(b"all");
    exit.pair.server.finish_stream(exit.stream);
    assert_eq!(exit.remote_hears(3).0, b"all");
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

#[test]
fn a_break_counts_an_end_that_was_read_before_they_were_joined() {
    let mut exit = Exit::with((b"up", b"", true), |_, _| {});
    exit.splices.break_at(exit.stream, 1);
    assert_eq!(
        exit.remote_hears_all(),
        (b"up".to_vec(), Err(ErrorKind::ConnectionReset))
    );
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
}

#[test]
fn who_is_half_closed_and_slow_is_not_silent() {
    let mut exit = Exit::new();
    exit.pair.server.finish_stream(exit.stream);
    assert_eq!(exit.remote_hears(1), (vec![], Some(Ok(()))));
    let down = bytes(MUCH, 9);
    let mut sent = 0;
    // The peer reads nothing: `settle`, not `until`.
    for _ in 0..100 {
        sent += exit.remote.write(&down[sent..]).unwrap_or(0);
        exit.settle();
    }
    assert!(sent < down.len());
    for _ in 0..20 {
        exit.pair.now += Duration::from_secs(50);
        exit.settle();
    }
    assert_eq!(exit.parted(), None);
    exit.until(|exit| {
        sent += exit.remote.write(&down[sent..]).unwrap_or(0);
        exit.heard.len() == down.len()
    });
    assert!(exit.heard == down);
    // And silent it is given up, as ever.
    for _ in 0..7 {
        exit.pair.now += Duration::from_secs(50);
        exit.settle();
    }
    assert_eq!(exit.parted(), Some(Parting::TargetBroke));
}

#[test]
fn what_waits_for_a_peer_that_takes_nothing_more_is_lost() {
    let mut exit = Exit::new();
    let down = bytes(MUCH, 11);
    let mut sent = 0;
    // The peer reads nothing: `settle`, not `until`.
    for _ in 0..100 {
        sent += exit.remote.write(&down[sent..]).unwrap_or(0);
        exit.settle();
    }
    assert!(sent < down.len());
    exit.pair.server.stop(exit.stream, 0);
    // Now all that the target says is taken, and lost.
    exit.until(|exit| {
        sent += exit.remote.write(&down[sent..]).unwrap_or(0);
        sent == down.len()
    });
    exit.says(b"and up");
    assert_eq!(exit.remote_hears(6), (b"and up".to_vec(), None));
    assert_eq!(exit.parted(), None);
}

#[test]
fn a_break_behind_both_ends_of_a_peer_that_takes_nothing_is_a_break_like_any() {
    let mut exit = Exit::new();
    exit.pair.server.stop(exit.stream, 0);
    exit.settle();
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.settle();
    exit.splices.break_at(exit.stream, 0);
    exit.until(|exit| exit.parted().is_some());
    assert_eq!(exit.parted(), Some(Parting::StreamGone));
}

#[test]
fn a_target_that_is_reset_behind_its_end_is_told_as_broken_to_who_speaks() {
    let mut exit = Exit::new();
    exit.remote.write_all(b"bye").unwrap();
    exit.remote.shutdown(Shutdown::Write).unwrap();
    exit.until(|exit| exit.ended);
    assert_eq!(exit.heard, b"bye");
    let began = exit.pair.now;
    exit.breaks_off();
    exit.says(b"1");
    exit.settle();
    exit.says(b"2");
    exit.until(|exit| exit.hung_up());
    assert_eq!(exit.parted(), Some(Parting::TargetBroke));
    assert!(exit.pair.now - began < SILENCE);
    // It is nobody's any more.
    let stream = exit.stream;
    let Exit { pair, splices, .. } = &mut exit;
    assert!(!splices.write(stream, &mut pair.client, pair.now));
    let left = exit.splices.leftover(exit.stream).unwrap();
    assert_eq!((left.written, left.finished, left.ended), (4, true, false));
}

#[test]
fn a_joint_that_is_given_up_resets_and_stops_its_stream() {
    let mut exit = Exit::new();
    let Exit { pair, splices, .. } = &mut exit;
    splices.give_up(0, &mut pair.client, pair.now);
    exit.settle();
    assert_eq!(exit.parted(), None, "another stream's");
    let stream = exit.stream;
    let Exit { pair, splices, .. } = &mut exit;
    splices.give_up(stream, &mut pair.client, pair.now);
    exit.settle();
    let told = &exit.pair.server_events;
    assert!(told.contains(&Event::Reset(stream, 0)) && told.contains(&Event::Stopped(stream, 0)));
    assert!(exit.hung_up());
}

#[test]
fn what_lingers_is_delivered_once_and_in_its_order() {
    let mut exit = Exit::new();
    let up = exit.fills_up();
    exit.splices.break_at(exit.stream, 0);
    exit.settle();
    let began = exit.pair.now;
    let (heard, over) = exit.remote_hears_all();
    assert_eq!(over, Err(ErrorKind::ConnectionReset));
    assert!(up.starts_with(&heard));
    exit.until(|exit| exit.hung_up());
    assert!(exit.pair.now - began < SILENCE);
    // One that breaks off meanwhile is let go at once.
    let mut exit = Exit::new();
    exit.fills_up();
    exit.splices.break_at(exit.stream, 0);
    exit.settle();
    assert!(!exit.hung_up());
    let began = exit.pair.now;
    exit.breaks_off();
    exit.until(|exit| exit.hung_up());
    assert!(exit.pair.now - began < SILENCE);
}

#[test]
fn a_hundred_targets_have_their_turns_and_those_left_over_come_with_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let mut exit = Exit::new();
    let now = exit.pair.now;
    let mut remotes = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..300 {
        targets.push(exit.splices.dial(to, now).unwrap());
        remotes.push(listener.accept().unwrap());
    }
    // More have changed than are told of at once: a turn says that another is due.
    let Exit { pair, splices, .. } = &mut exit;
    splices.turn(&mut pair.client, pair.now);
    assert!(splices.has_work());
    exit.until(|exit| {
        let is_told = |target| exit.told.contains(&Event::Dialled(target));
        targets.iter().copied().all(is_told)
    });
    exit.settle();
    assert!(!exit.splices.has_work());
    for target in targets {
        exit.splices.hang_up(target);
    }
    for (remote, _) in &mut remotes {
        remote.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let error = remote.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}
