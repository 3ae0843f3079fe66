//! What a session has done, in numbers.

use std::time::Duration;

use quinn_proto::{ConnectionStats, FrameStats};

use crate::session::Session;

/// A session's numbers so far. Milliseconds and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Smoothed round trip.
    pub rtt_ms: f64,
    /// The smallest round trip.
    pub min_rtt_ms: f64,
    /// What may be in flight.
    pub congestion_window: u64,
    /// Bits a second, where the controller names a rate.
    pub pacing_rate: u64,
    /// UDP payload of a packet.
    pub packet_size: u16,
    /// QUIC packets sent.
    pub sent_packets: u64,
    /// Those that were taken for lost.
    pub lost_packets: u64,
    /// Their bytes: as much is sent again, but for what needs no repeating.
    pub lost_bytes: u64,
    /// Times the controller was told of congestion.
    pub congestion_events: u64,
    /// UDP payload sent.
    pub sent_bytes: u64,
    /// UDP payload received.
    pub received_bytes: u64,
    /// UDP datagrams received.
    pub received_packets: u64,
    /// Datagrams that came marked with congestion (CE).
    pub congestion_marks: u64,
    /// Times a path was found to have swallowed large packets.
    pub black_holes: u64,
}

impl Session {
    /// The session's numbers so far; all zero before the handshake is done.
    pub fn stats(&self) -> Stats {
        let Some(connection) = self.connection() else {
            return Stats::default();
        };
        let ConnectionStats {
            udp_tx, udp_rx, path, ..
        } = connection.stats();
        // What quinn-proto is told may be larger, so that it does not pace.
        let metrics = connection.congestion_state().metrics();
        Stats {
            rtt_ms: milliseconds(path.rtt),
            min_rtt_ms: milliseconds(path.min_rtt),
            congestion_window: metrics.congestion_window,
            pacing_rate: metrics.pacing_rate.unwrap_or(0),
            packet_size: path.current_mtu,
            sent_packets: path.sent_packets,
            lost_packets: path.lost_packets,
            lost_bytes: path.lost_bytes,
            congestion_events: path.congestion_events,
            sent_bytes: udp_tx.bytes,
            received_bytes: udp_rx.bytes,
            received_packets: udp_rx.datagrams,
            congestion_marks: self.congestion_marks(),
            black_holes: path.black_holes_detected,
        }
    }

    /// Frames of the peer's authentic packets so far: more of them are a sign of life.
    pub fn received_frames(&self) -> u64 {
        self.connection()
            .map_or(0, |connection| frames(&connection.stats().frame_rx))
    }
}

/// Every packet has a frame, and only what was authentic is looked at for frames.
fn frames(received: &FrameStats) -> u64 {
    [
        received.acks,
        received.ping,
        received.stream,
        received.datagram,
        received.crypto,
        received.max_data,
        received.max_stream_data,
        received.max_streams_bidi,
        received.reset_stream,
        received.stop_sending,
        received.data_blocked,
        received.stream_data_blocked,
        received.streams_blocked_bidi,
        received.path_challenge,
        received.path_response,
        received.new_connection_id,
        received.retire_connection_id,
        received.ack_frequency,
        received.immediate_ack,
        received.connection_close,
        received.handshake_done.into(),
    ]
    .into_iter()
    .fold(0, u64::wrapping_add)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
