//! Two sessions over a network in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use engine::close::{CLOSE_WRONG_PIN, CloseKind};
use engine::error::Code;
use engine::events::Event;
use engine::options::Role;
use engine::session::{DatagramSent, Read, Session, Write};
use support::{End, Identity, Pair, bytes, options};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_stream_carries_both_ways_and_ends() {
    let mut pair = Pair::new();
    pair.connect();
    let stream = pair.server.open().unwrap();
    let (question, answer) = (bytes(300_000, 1), bytes(200_000, 2));
    assert_eq!(pair.write(End::Server, stream, &question), question.len());
    assert!(pair.server.finish_stream(stream));
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    let mut heard = false;
    pair.run(MINUTE, |pair| {
        if !heard && pair.read_all(End::Client, stream, &mut asked) {
            heard = true;
            assert_eq!(pair.write(End::Client, stream, &answer), answer.len());
            assert!(pair.client.finish_stream(stream));
        }
        pair.read_all(End::Server, stream, &mut answered)
    });
    assert!(pair.client_events.contains(&Event::Opened(stream)));
    assert!(asked == question && answered == answer);
    assert_eq!(pair.server.read(stream, &mut [0; 10]), Read::Gone);
    assert_eq!(pair.server.write(stream, b"more"), Write::Gone);
}

#[test]
fn the_end_comes_with_the_last_bytes() {
    let mut pair = Pair::new();
    pair.connect();
    let stream = pair.server.open().unwrap();
    pair.write(End::Server, stream, b"all");
    pair.server.finish_stream(stream);
    pair.run(MINUTE, |pair| pair.client_events.contains(&Event::Opened(stream)));
    assert_eq!(
        pair.client.read(stream, &mut [0; 10]),
        Read::Bytes { count: 3, end: true }
    );
}

#[test]
fn the_client_opens_one_stream_and_the_server_many() {
    let mut pair = Pair::new();
    pair.connect();
    assert_eq!(pair.client.open(), Some(0));
    assert_eq!(pair.client.open(), None);
    let opened: Vec<u32> = std::iter::from_fn(|| pair.server.open()).collect();
    assert_eq!(opened, (0..100).map(|index| index * 4 + 1).collect::<Vec<u32>>());
    for &stream in &opened {
        assert_eq!(
            pair.write(End::Server, stream, &bytes(3_000, stream.into())),
            3_000
        );
        pair.server.finish_stream(stream);
    }
    let mut received = vec![Vec::new(); opened.len()];
    let mut ended = vec![false; opened.len()];
    pair.run(MINUTE, |pair| {
        for (index, &stream) in opened.iter().enumerate() {
            if !ended[index] && pair.read_all(End::Client, stream, &mut received[index]) {
                ended[index] = true;
                pair.client.finish_stream(stream);
            }
        }
        ended.iter().all(|ended| *ended)
    });
    for (received, &stream) in received.iter().zip(&opened) {
        assert!(received == &bytes(3_000, stream.into()));
    }
    // What is over makes room for others.
    pair.run(MINUTE, |pair| pair.server_events.contains(&Event::Available));
    assert!(pair.server.open().is_some());
}

#[test]
fn no_room_is_not_gone_and_room_is_told() {
    let mut pair = Pair::new();
    pair.connect();
    let stream = pair.server.open().unwrap();
    let all = bytes(3 << 20, 3);
    let mut written = pair.write(End::Server, stream, &all);
    // The stream's window, and not a byte more, though nobody reads.
    pair.run(MINUTE, |pair| {
        if pair.server.next_writable() == Some(stream) {
            written += pair.write(End::Server, stream, &all[written..]);
        }
        written == 1 << 20
    });
    pair.pass(Duration::from_secs(5));
    assert_eq!(pair.server.write(stream, &all[written..]), Write::Taken(0));
    let mut received = Vec::new();
    pair.run(MINUTE, |pair| {
        pair.read_all(End::Client, stream, &mut received);
        if pair.server.next_writable() == Some(stream) {
            written += pair.write(End::Server, stream, &all[written..]);
        }
        received.len() == all.len()
    });
    assert!(received == all);
}

#[test]
fn readers_that_stand_still_leave_the_others_what_is_read() {
    let (one, other) = (Identity::new(), Identity::new());
    let mut client = options(Role::Client, &one, other.pin);
    client.connection_window = 8 << 20;
    let mut pair = Pair::with(client, options(Role::Server, &other, one.pin));
    pair.connect();
    let data = bytes(1 << 20, 1);
    // They use up all that the connection may hold.
    let stopped: Vec<u32> = (0..8).map(|_| pair.server.open().unwrap()).collect();
    let mut left = vec![1 << 20; 8];
    pair.run(MINUTE, |pair| {
        for (stream, left) in stopped.iter().zip(&mut left) {
            *left -= pair.write(End::Server, *stream, &data[..*left]);
        }
        left.iter().all(|left| *left == 0)
    });
    let late = pair.server.open().unwrap();
    assert_eq!(pair.write(End::Server, late, b"late"), 0);
    pair.pass(Duration::from_secs(5));
    // One of them reads a little: far less than an eighth of the window.
    let mut room = vec![0; 300_000];
    assert!(matches!(
        pair.client.read(stopped[0], &mut room),
        Read::Bytes { count: 300_000, .. }
    ));
    pair.run(MINUTE, |pair| pair.server.next_writable() == Some(late));
    assert_eq!(pair.write(End::Server, late, b"late"), 4);
    pair.run(MINUTE, |pair| pair.client_events.contains(&Event::Opened(late)));
    // What was told is what there is: the window has not grown.
    let mut more = 0;
    pair.run(MINUTE, |pair| {
        more += pair.write(End::Server, late, &data);
        while pair.server.next_writable().is_some() {}
        more > 200_000
    });
    pair.pass(Duration::from_secs(5));
    assert!(more + pair.write(End::Server, late, &data) <= 300_000);
}

#[test]
fn what_is_written_and_not_acknowledged_is_bounded() {
    let (client, server) = (Identity::new(), Identity::new());
    let mut wide = options(Role::Client, &client, server.pin);
    wide.stream_window = 1 << 30;
    let mut pair = Pair::with(wide, options(Role::Server, &server, client.pin));
    pair.connect();
    let stream = pair.server.open().unwrap();
    let all = vec![7; 64 << 20];
    let mut taken = pair.write(End::Server, stream, &all);
    assert!(taken < 4 << 20);
    let other = pair.server.open().unwrap();
    assert_eq!(pair.server.write(other, b"no room for anybody"), Write::Taken(0));
    pair.run(MINUTE, |pair| pair.server.next_writable() == Some(other));
    taken += pair.write(End::Server, stream, &all);
    assert!(taken < 8 << 20);
}

#[test]
fn a_reset_and_a_stop_bring_their_codes() {
    let mut pair = Pair::new();
    pair.connect();
    let (first, second) = (pair.server.open().unwrap(), pair.server.open().unwrap());
    pair.write(End::Server, first, b"not to be read");
    pair.write(End::Server, second, b"not to be read either");
    pair.run(MINUTE, |pair| pair.client_events.contains(&Event::Opened(second)));
    assert!(pair.server.reset(first, 77));
    assert!(pair.client.stop(second, 78));
    pair.run(MINUTE, |pair| {
        pair.client_events.contains(&Event::Reset(first, 77))
            && pair.server_events.contains(&Event::Stopped(second, 78))
    });
    assert_eq!(pair.client.read(first, &mut [0; 10]), Read::Gone);
    assert_eq!(pair.client.read(second, &mut [0; 10]), Read::Gone);
    assert_eq!(pair.server.write(first, b"more"), Write::Gone);
    assert_eq!(pair.server.write(second, b"more"), Write::Stopped);
    assert_eq!(pair.server.write(second, b""), Write::Stopped);
    assert!(!pair.server.reset(first, 77));
    assert!(!pair.server.is_kept(second) && !pair.server.is_kept(1001));
    assert!(pair.server.reset(second, 0));
    pair.run(MINUTE, |pair| !pair.server.is_kept(first));
    let third = pair.server.open().unwrap();
    assert!(pair.server.is_kept(third) && pair.server.finish_stream(third) && pair.server.is_kept(third));
    pair.run(MINUTE, |pair| !pair.server.is_kept(third));
}

#[test]
fn datagrams_go_both_ways_within_their_limits() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.send_datagram(b"too early"), DatagramSent::Gone);
    pair.connect();
    let longest = pair.client.max_datagram();
    assert!(longest > 1200 && longest < 1472, "{longest}");
    assert_eq!(
        pair.client.send_datagram(&bytes(longest, 4)),
        DatagramSent::Queued
    );
    assert_eq!(
        pair.client.send_datagram(&bytes(longest + 1, 4)),
        DatagramSent::TooLarge
    );
    assert_eq!(pair.server.send_datagram(b""), DatagramSent::Queued);
    let mut queued = 0;
    while pair.server.send_datagram(&[1; 1000]) == DatagramSent::Queued {
        queued += 1;
        assert!(queued < 100);
    }
    assert_eq!(pair.server.send_datagram(&[1; 1000]), DatagramSent::NoRoom);
    pair.run(MINUTE, |pair| {
        pair.client_events.contains(&Event::Datagrams)
            && pair.server_events.contains(&Event::Datagrams)
            && pair.server_events.contains(&Event::DatagramRoom)
    });
    assert_eq!(pair.server.receive_datagram().unwrap(), bytes(longest, 4));
    assert_eq!(pair.server.receive_datagram(), None);
    assert_eq!(pair.client.receive_datagram().unwrap(), b""[..]);
}

#[test]
fn a_close_brings_its_code_and_reason() {
    let mut pair = Pair::new();
    pair.connect();
    let stream = pair.server.open().unwrap();
    let now = pair.now;
    pair.client.close(now, 42, b"deadline");
    pair.run(MINUTE, |pair| pair.server_events.contains(&Event::Closed));
    let reason = pair.server.close_reason().unwrap();
    assert_eq!(
        (reason.kind, reason.by_peer, reason.code),
        (CloseKind::Application, true, 42)
    );
    assert_eq!(reason.reason, b"deadline");
    let own = pair.client.close_reason().unwrap();
    assert_eq!(
        (own.kind, own.by_peer, own.code),
        (CloseKind::Application, false, 42)
    );
    assert_eq!(pair.server.write(stream, b"more"), Write::Gone);
    assert_eq!(pair.server.open(), None);
    assert_eq!(pair.server.send_datagram(b"more"), DatagramSent::Gone);
}

#[test]
fn a_server_with_another_certificate_is_refused_before_any_stream() {
    let (client, server, other) = (Identity::new(), Identity::new(), Identity::new());
    let mut pair = Pair::with(
        options(Role::Client, &client, other.pin),
        options(Role::Server, &server, client.pin),
    );
    pair.run(MINUTE, |pair| {
        pair.client_events.contains(&Event::Closed) && pair.server_events.contains(&Event::Closed)
    });
    assert!(
        !pair.client_events.contains(&Event::Connected) && !pair.server_events.contains(&Event::Connected)
    );
    let (here, there) = (
        pair.client.close_reason().unwrap(),
        pair.server.close_reason().unwrap(),
    );
    assert_eq!((here.kind, here.by_peer), (CloseKind::WrongPin, false));
    assert_eq!((there.kind, there.by_peer), (CloseKind::WrongPin, true));
    assert_eq!(pair.client.open(), None);
}

#[test]
fn a_client_with_another_certificate_is_refused_before_any_stream() {
    let (client, server, other) = (Identity::new(), Identity::new(), Identity::new());
    let mut pair = Pair::with(
        options(Role::Client, &client, server.pin),
        options(Role::Server, &server, other.pin),
    );
    pair.run(MINUTE, |pair| {
        pair.client_events.contains(&Event::Closed) && pair.server_events.contains(&Event::Closed)
    });
    assert!(!pair.server_events.contains(&Event::Connected));
    let (here, there) = (
        pair.server.close_reason().unwrap(),
        pair.client.close_reason().unwrap(),
    );
    assert_eq!((here.kind, here.by_peer), (CloseKind::WrongPin, false));
    assert_eq!((there.kind, there.by_peer), (CloseKind::WrongPin, true));
    assert_eq!(pair.server.open(), None);
}

#[test]
fn the_applications_code_for_a_wrong_pin_is_one_too() {
    let mut pair = Pair::new();
    pair.connect();
    let now = pair.now;
    pair.server.close(now, CLOSE_WRONG_PIN, b"wrong certificate");
    pair.run(MINUTE, |pair| pair.client_events.contains(&Event::Closed));
    let reason = pair.client.close_reason().unwrap();
    assert_eq!(
        (reason.kind, reason.by_peer, reason.code),
        (CloseKind::WrongPin, true, CLOSE_WRONG_PIN)
    );
}

#[test]
fn another_application_protocol_is_refused_and_the_server_waits_on() {
    let (client, server) = (Identity::new(), Identity::new());
    let mut other = options(Role::Client, &client, server.pin);
    other.alpn = b"test/2".to_vec();
    let mut pair = Pair::with(other, options(Role::Server, &server, client.pin));
    pair.run(MINUTE, |pair| pair.client_events.contains(&Event::Closed));
    let reason = pair.client.close_reason().unwrap();
    assert_eq!(
        (reason.kind, reason.by_peer, reason.code),
        (CloseKind::Transport, true, 0x100 + 120)
    );
    assert_eq!(pair.server.close_reason(), None);
    assert_eq!(pair.server.attempts(), 0);
    assert_eq!(pair.server.failed_attempt().unwrap().code, 0x100 + 120);
    let now = pair.now;
    pair.client = Session::new(&options(Role::Client, &client, server.pin), false, now).unwrap();
    pair.connect();
}

#[test]
fn forged_initials_do_not_keep_the_peer_out() {
    let (client, server) = (Identity::new(), Identity::new());
    let mut pair = Pair::with(
        options(Role::Client, &client, server.pin),
        options(Role::Server, &server, client.pin),
    );
    let forger = Identity::new();
    for _ in 0..50 {
        // Whole and well-formed, as anybody can make them who knows the two addresses.
        let now = pair.now;
        let mut forged = Session::new(&options(Role::Client, &forger, server.pin), false, now).unwrap();
        let mut buffer = Vec::new();
        let transmit = forged.transmit(now, 1, &mut buffer).unwrap();
        let initial = buffer[..transmit.size].to_vec();
        pair.inject(End::Server, &initial);
        // And one that does not authenticate.
        let mut broken = initial;
        let last = broken.len() - 1;
        broken[last] ^= 1;
        pair.inject(End::Server, &broken);
    }
    assert!(pair.server.attempts() <= 8);
    pair.connect();
    assert_eq!(pair.server.attempts(), 0);
    // Later ones begin nothing.
    let now = pair.now;
    let mut late = Session::new(&options(Role::Client, &forger, server.pin), false, now).unwrap();
    let mut buffer = Vec::new();
    let transmit = late.transmit(now, 1, &mut buffer).unwrap();
    pair.inject(End::Server, &buffer[..transmit.size]);
    assert_eq!(pair.server.attempts(), 0);
    assert_eq!(pair.server.close_reason(), None);
}

#[test]
fn silence_ends_the_connection_and_a_ping_prevents_it() {
    let mut pair = Pair::new();
    pair.connect();
    pair.pass(Duration::from_secs(2));
    let mut heard = pair.server.received_frames();
    pair.pass(Duration::from_secs(2));
    assert_eq!(pair.server.received_frames(), heard);
    for _ in 0..10 {
        pair.client.ping();
        pair.pass(Duration::from_secs(5));
        assert!(pair.server.received_frames() > heard);
        heard = pair.server.received_frames();
    }
    assert_eq!(pair.client.close_reason(), None);
    pair.fate = Box::new(|_, _, _| false);
    pair.client.ping();
    pair.run(MINUTE, |pair| {
        pair.client_events.contains(&Event::Closed) && pair.server_events.contains(&Event::Closed)
    });
    assert_eq!(pair.client.close_reason().unwrap().kind, CloseKind::TimedOut);
}

#[test]
fn packets_grow_to_what_the_path_carries() {
    let mut pair = Pair::new();
    pair.fate = Box::new(|_, _, bytes| bytes.len() <= 1400);
    pair.connect();
    pair.pass(Duration::from_secs(10));
    let size = pair.server.stats().packet_size;
    assert!((1350..=1400).contains(&size), "{size}");
    pair.fate = Box::new(|_, _, _| true);
    pair.pass(Duration::from_secs(700));
}

#[test]
fn streams_that_nobody_told_of_are_gone() {
    let mut pair = Pair::new();
    pair.connect();
    for stream in [0, 1, 2, 3, 5, 400, 401, 402, 403, u32::MAX - 1, u32::MAX] {
        for end in [End::Client, End::Server] {
            let session = pair.session(end);
            assert_eq!(session.read(stream, &mut [0; 10]), Read::Gone, "{stream}");
            assert_eq!(session.write(stream, b"x"), Write::Gone, "{stream}");
            assert!(!session.finish_stream(stream) && !session.reset(stream, 1) && !session.stop(stream, 1));
        }
    }
    pair.pass(Duration::from_secs(1));
    assert_eq!(
        (pair.client.close_reason(), pair.server.close_reason()),
        (None, None)
    );
}

#[test]
fn options_out_of_their_limits_are_named() {
    let own = Identity::new();
    let good = options(Role::Server, &own, [0; 32]);
    let refuse = |change: fn(&mut engine::options::Options), code: Code, word: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let Err(error) = Session::new(&bad, false, std::time::Instant::now()) else {
            panic!("{word} was taken")
        };
        assert_eq!(error.code, code);
        assert!(error.message.contains(word), "{error}");
    };
    refuse(|options| options.packet_size = 1199, Code::Option, "packetSize");
    refuse(
        |options| options.max_packet_size = 1300,
        Code::Option,
        "maxPacketSize",
    );
    refuse(|options| options.stream_window = 0, Code::Option, "streamWindow");
    refuse(
        |options| options.connection_window = 1 << 62,
        Code::Option,
        "connectionWindow",
    );
    refuse(|options| options.send_buffer = 0, Code::Option, "sendBuffer");
    refuse(
        |options| options.max_streams = 1 << 20,
        Code::Option,
        "maxStreams",
    );
    refuse(
        |options| options.idle_timeout_ms = 1,
        Code::Option,
        "idleTimeoutMs",
    );
    refuse(|options| options.alpn = vec![], Code::Option, "alpn");
    refuse(
        |options| options.peer = "[::1]:9".parse().unwrap(),
        Code::Address,
        "IPv4",
    );
    refuse(|options| options.key = b"no key".to_vec(), Code::Identity, "key");
    refuse(
        |options| options.certificate = b"none".to_vec(),
        Code::Identity,
        "certificate",
    );
    refuse(
        |options| options.key = Identity::new().key,
        Code::Identity,
        "certificate",
    );
}
