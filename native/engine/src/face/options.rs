//! Options as JavaScript gives them.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::driver;
use crate::error::{Code, Error};
use crate::options::{Congestion, Options, Role};

/// See index.d.ts.
#[napi(object, object_to_js = false)]
pub struct AttachOptions {
    /// The peer's IPv4 address.
    pub address: String,
    /// The peer's port.
    pub port: f64,
    /// The peer may move.
    pub open: bool,
    /// `client` or `server`.
    pub role: String,
    /// PEM.
    pub key: Uint8Array,
    /// PEM.
    pub certificate: Uint8Array,
    /// 32 bytes.
    pub pin: Uint8Array,
    /// The application protocol.
    pub alpn: String,
    /// `bbr` or `cubic`.
    pub congestion: String,
    /// Bytes.
    pub packet_size: f64,
    /// Bytes.
    pub max_packet_size: f64,
    /// Bytes.
    pub stream_window: f64,
    /// Bytes.
    pub connection_window: f64,
    /// Bytes.
    pub send_buffer: f64,
    /// Streams.
    pub max_streams: f64,
    /// Bytes.
    pub datagram_buffer: f64,
    /// Milliseconds.
    pub idle_timeout_ms: f64,
    /// Milliseconds.
    pub keep_alive_ms: f64,
    /// Packets.
    pub ack_every: f64,
}

impl TryFrom<AttachOptions> for Options {
    type Error = Error;

    fn try_from(given: AttachOptions) -> Result<Self, Error> {
        let pin = <[u8; 32]>::try_from(&given.pin[..])
            .map_err(|_| Error::new(Code::Option, "pin must be the 32 bytes of a SHA-256"))?;
        Ok(Self {
            peer: driver::address(&given.address, number("port", given.port)?)?,
            open: given.open,
            role: match given.role.as_str() {
                "client" => Role::Client,
                "server" => Role::Server,
                other => return Err(unknown("role", other, "client or server")),
            },
            key: given.key.to_vec(),
            certificate: given.certificate.to_vec(),
            pin,
            alpn: given.alpn.into_bytes(),
            congestion: match given.congestion.as_str() {
                "bbr" => Congestion::Bbr,
                "cubic" => Congestion::Cubic,
                other => return Err(unknown("congestion", other, "bbr or cubic")),
            },
            packet_size: number("packetSize", given.packet_size)?,
            max_packet_size: number("maxPacketSize", given.max_packet_size)?,
            stream_window: number("streamWindow", given.stream_window)?,
            connection_window: number("connectionWindow", given.connection_window)?,
            send_buffer: number("sendBuffer", given.send_buffer)?,
            max_streams: number("maxStreams", given.max_streams)?,
            datagram_buffer: number("datagramBuffer", given.datagram_buffer)?,
            idle_timeout_ms: number("idleTimeoutMs", given.idle_timeout_ms)?,
            keep_alive_ms: number("keepAliveMs", given.keep_alive_ms)?,
            ack_every: number("ackEvery", given.ack_every)?,
        })
    }
}

/// A whole number of a type's range.
pub(super) fn number<N: TryFrom<u64>>(name: &str, value: f64) -> Result<N, Error> {
    let whole = value.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&value);
    let number = if whole {
        N::try_from(value as u64).ok()
    } else {
        None
    };
    number.ok_or_else(|| {
        Error::new(
            Code::Option,
            format_args!("{name} is {value}, which is no number in its limits"),
        )
    })
}

fn unknown(name: &str, given: &str, allowed: &str) -> Error {
    Error::new(
        Code::Option,
        format_args!("{name} is {given:?}; it must be {allowed}"),
    )
}
