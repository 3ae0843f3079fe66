//! quinn-proto's configuration: what this tunnel turns on, off, and bounds.

use std::sync::Arc;
use std::time::Duration;

use quinn_proto::{
    AckFrequencyConfig, ClientConfig, EndpointConfig, IdleTimeout, MtuDiscoveryConfig, ServerConfig,
    TransportConfig, ValidationTokenConfig, VarInt,
};
use ring::hmac::{HMAC_SHA256, Key};
use ring::rand::SystemRandom;

use crate::error::{Code, Error, with};
use crate::options::Options;
use crate::tls;

/// Both ends' endpoint. The fixed bit stays set: by it QUIC is told from STUN (RFC 9443).
pub fn endpoint(options: &Options) -> Result<EndpointConfig, Error> {
    let key = Key::generate(HMAC_SHA256, &SystemRandom::new())
        .map_err(|_| Error::new(Code::Engine, "the system gives no random numbers"))?;
    let mut config = EndpointConfig::new(Arc::new(key));
    config.grease_quic_bit(false);
    config
        .max_udp_payload_size(options.max_packet_size)
        .map_err(with(Code::Option, "maxPacketSize"))?;
    Ok(config)
}

/// The client's connection.
pub fn client(options: &Options) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::new(Arc::new(tls::client(options)?));
    config.transport_config(Arc::new(transport(options)?));
    Ok(config)
}

/// The server's connections: no migration, and no tokens that would let a later one skip anything.
pub fn server(options: &Options) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::with_crypto(Arc::new(tls::server(options)?));
    let mut tokens = ValidationTokenConfig::default();
    tokens.sent(0);
    config
        .validation_token_config(tokens)
        .migration(false)
        .transport_config(Arc::new(transport(options)?));
    Ok(config)
}

fn transport(options: &Options) -> Result<TransportConfig, Error> {
    let idle = IdleTimeout::try_from(milliseconds(options.idle_timeout_ms))
        .map_err(with(Code::Option, "idleTimeoutMs"))?;
    let mut discovery = MtuDiscoveryConfig::default();
    discovery.upper_bound(options.max_packet_size);
    let mut acknowledge = AckFrequencyConfig::default();
    acknowledge.ack_eliciting_threshold(options.ack_every.into());

    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(options.max_streams.into())
        .max_concurrent_uni_streams(0u32.into())
        .stream_receive_window(varint("streamWindow", options.stream_window)?)
        .receive_window(varint("connectionWindow", options.connection_window)?)
        .send_window(options.send_buffer)
        .initial_mtu(options.packet_size)
        .mtu_discovery_config((options.max_packet_size > options.packet_size).then_some(discovery))
        .max_idle_timeout(Some(idle))
        .keep_alive_interval((options.keep_alive_ms > 0).then(|| milliseconds(options.keep_alive_ms)))
        .ack_frequency_config(Some(acknowledge))
        .datagram_receive_buffer_size((options.datagram_buffer > 0).then_some(options.datagram_buffer))
        .datagram_send_buffer_size(options.datagram_buffer)
        .allow_spin(false);
    transport.congestion_controller_factory(options.congestion.factory());
    Ok(transport)
}

fn milliseconds(value: u32) -> Duration {
    Duration::from_millis(value.into())
}

fn varint(name: &'static str, value: u64) -> Result<VarInt, Error> {
    VarInt::from_u64(value).map_err(with(Code::Option, name))
}
