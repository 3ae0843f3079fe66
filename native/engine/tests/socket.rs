//! Whose datagrams a socket hands over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use engine::socket::{Socket, Source};

fn somebody() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// What comes, until a datagram of this content does.
fn heard_until(socket: &Socket, last: &[u8]) -> Vec<(SocketAddr, Source)> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut heard = Vec::new();
    let mut done = false;
    while !done {
        assert!(Instant::now() < deadline, "{heard:?}");
        socket.receive(|meta, source, bytes| {
            heard.push((meta.addr, source));
            done |= bytes == last;
        });
    }
    heard
}

#[test]
fn an_open_socket_tells_the_peer_at_both_its_addresses_from_others() {
    let ((first, at_first), (second, at_second), (stranger, at_stranger)) =
        (somebody(), somebody(), somebody());
    let mut socket = Socket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.open_to(at_first);
    second.send_to(b"early", socket.local()).unwrap();
    assert_eq!(heard_until(&socket, b"early"), [(at_second, Source::Other)]);
    assert!(socket.move_to(at_second));
    assert_eq!(socket.peer(), Some(at_second));
    for (from, content) in [(&first, b"1"), (&second, b"2"), (&stranger, b"3")] {
        from.send_to(content, socket.local()).unwrap();
    }
    assert_eq!(
        heard_until(&socket, b"3"),
        [
            (at_first, Source::Peer),
            (at_second, Source::Peer),
            (at_stranger, Source::Other)
        ]
    );
    assert!(socket.send(b"check", at_stranger));
}

#[test]
fn a_socket_that_is_not_open_neither_moves_nor_hears_anybody_else() {
    let ((peer, at_peer), (stranger, at_stranger)) = (somebody(), somebody());
    let mut socket = Socket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.connect(at_peer).unwrap();
    assert!(!socket.move_to(at_stranger));
    assert_eq!(socket.peer(), Some(at_peer));
    // Refused by the system, perhaps: nobody listens to him.
    let _ = stranger.send_to(b"x", socket.local());
    peer.send_to(b"y", socket.local()).unwrap();
    assert_eq!(heard_until(&socket, b"y"), [(at_peer, Source::Peer)]);
    assert!(!socket.send(b"check", at_stranger));
}
