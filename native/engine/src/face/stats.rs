//! A session's numbers and its end, as JavaScript reads them.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::close::CloseReason;
use crate::stats::Stats;

/// See index.d.ts.
#[napi(object, js_name = "Stats", object_from_js = false)]
#[allow(missing_docs)]
pub struct StatsObject {
    pub rtt_ms: f64,
    pub min_rtt_ms: f64,
    pub congestion_window: f64,
    pub pacing_rate: f64,
    pub packet_size: f64,
    pub sent_packets: f64,
    pub sent_batches: f64,
    pub lost_packets: f64,
    pub lost_bytes: f64,
    pub congestion_events: f64,
    pub sent_bytes: f64,
    pub received_bytes: f64,
    pub received_packets: f64,
    pub ecn: bool,
    pub congestion_marks: f64,
    pub black_holes: f64,
}

impl StatsObject {
    pub(super) fn new(stats: Stats, sent_batches: u64, ecn: bool) -> Self {
        Self {
            rtt_ms: stats.rtt_ms,
            min_rtt_ms: stats.min_rtt_ms,
            congestion_window: stats.congestion_window as f64,
            pacing_rate: stats.pacing_rate as f64,
            packet_size: stats.packet_size.into(),
            sent_packets: stats.sent_packets as f64,
            sent_batches: sent_batches as f64,
            lost_packets: stats.lost_packets as f64,
            lost_bytes: stats.lost_bytes as f64,
            congestion_events: stats.congestion_events as f64,
            sent_bytes: stats.sent_bytes as f64,
            received_bytes: stats.received_bytes as f64,
            received_packets: stats.received_packets as f64,
            ecn,
            congestion_marks: stats.congestion_marks as f64,
            black_holes: stats.black_holes as f64,
        }
    }
}

/// See index.d.ts.
#[napi(object, js_name = "CloseReason", object_from_js = false)]
#[allow(missing_docs)]
pub struct CloseObject {
    pub kind: String,
    pub by_peer: bool,
    pub code: f64,
    pub reason: Uint8Array,
}

impl From<&CloseReason> for CloseObject {
    fn from(reason: &CloseReason) -> Self {
        Self {
            kind: reason.kind.name().into(),
            by_peer: reason.by_peer,
            code: reason.code as f64,
            reason: reason.reason.clone().into(),
        }
    }
}
