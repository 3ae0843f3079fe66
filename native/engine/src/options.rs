//! What a session is told when it is attached to its peer, and the limits of each value.

use std::net::SocketAddr;

pub use congestion::Algorithm as Congestion;

use crate::error::{Code, Error};
use crate::pin::PIN_LENGTH;

/// Which end of QUIC this is: the function is the client, the laptop the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends the first packet.
    Client,
    /// Waits for it.
    Server,
}

/// All of a session's options. Sizes are bytes, times milliseconds.
#[derive(Clone, Debug)]
pub struct Options {
    /// The nominated peer: nobody else's QUIC is listened to.
    pub peer: SocketAddr,
    /// The peer may move to another address, and other sources' STUN is passed on.
    pub open: bool,
    /// Which end this is.
    pub role: Role,
    /// The private key, PEM.
    pub key: Vec<u8>,
    /// The certificate, PEM.
    pub certificate: Vec<u8>,
    /// SHA-256 of the peer's certificate (DER).
    pub pin: [u8; PIN_LENGTH],
    /// The application protocol (RFC 7301).
    pub alpn: Vec<u8>,
    /// The congestion controller.
    pub congestion: Congestion,
    /// UDP payload before the path's size is known.
    pub packet_size: u16,
    /// The largest UDP payload that path MTU discovery tries.
    pub max_packet_size: u16,
    /// What the peer may send on one stream before it is read.
    pub stream_window: u64,
    /// What the peer may send on all streams before it is read.
    pub connection_window: u64,
    /// The most that written bytes may take until they are acknowledged.
    pub send_buffer: u64,
    /// Bidirectional streams that the peer may have open at once.
    pub max_streams: u32,
    /// Datagrams that may wait in either direction; 0 refuses them.
    pub datagram_buffer: usize,
    /// Silence that ends the connection.
    pub idle_timeout_ms: u32,
    /// Silence after which this end sends a PING; 0 leaves that to `ping()`.
    pub keep_alive_ms: u32,
    /// Packets that the peer may leave unacknowledged, where it supports saying so.
    pub ack_every: u32,
}

/// The smallest packet that QUIC may use (RFC 9000, section 14).
pub const MIN_PACKET: u16 = 1200;
/// The largest UDP payload of IPv4.
pub const MAX_PACKET: u16 = 65_507;
/// Stream limits are counted in 60 bits (RFC 9000, section 4.6); each stream that is granted costs some 50 bytes.
const MAX_STREAMS: u32 = 65_536;
/// The largest variable-length integer (RFC 9000, section 16).
const MAX_VARINT: u64 = (1 << 62) - 1;
const MAX_BUFFER: u64 = 1 << 32;

impl Options {
    /// Says which value is out of its limits, if one is.
    pub fn validate(&self) -> Result<(), Error> {
        if !self.peer.is_ipv4() || self.peer.ip().is_unspecified() || self.peer.port() == 0 {
            return Err(Error::new(
                Code::Address,
                format_args!("{} is no IPv4 peer", self.peer),
            ));
        }
        if self.alpn.is_empty() || self.alpn.len() > 255 {
            return Err(Error::new(Code::Option, "alpn must have 1 to 255 bytes"));
        }
        within(
            "packetSize",
            self.packet_size.into(),
            MIN_PACKET.into(),
            MAX_PACKET.into(),
        )?;
        within(
            "maxPacketSize",
            self.max_packet_size.into(),
            self.packet_size.into(),
            MAX_PACKET.into(),
        )?;
        within("streamWindow", self.stream_window, 1024, MAX_VARINT)?;
        within(
            "connectionWindow",
            self.connection_window,
            self.stream_window,
            MAX_VARINT,
        )?;
        within("sendBuffer", self.send_buffer, 16_384, MAX_BUFFER)?;
        within("maxStreams", self.max_streams.into(), 0, MAX_STREAMS.into())?;
        within("datagramBuffer", self.datagram_buffer as u64, 0, MAX_BUFFER)?;
        within("idleTimeoutMs", self.idle_timeout_ms.into(), 100, 3_600_000)?;
        within("keepAliveMs", self.keep_alive_ms.into(), 0, 3_600_000)?;
        within("ackEvery", self.ack_every.into(), 1, 1024)
    }
}

fn within(name: &str, value: u64, least: u64, most: u64) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::new(
        Code::Option,
        format_args!("{name} is {value}; it must be {least} to {most}"),
    ))
}
