//! The response to congestion while not probing, draft-ietf-ccwg-bbr section 5.5.10.3: a
//! short-term model that follows what the path delivers now.

use crate::{
    delivery::RateSample,
    units::{INFINITY, scale},
};

/// BBR.Beta
pub(crate) const BETA: f64 = 0.7;

/// Delivery and congestion of the current round, and the bounds that follow from them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortTerm {
    /// BBR.bw_shortterm, bytes per second.
    pub(crate) bw: u64,
    /// BBR.inflight_shortterm, bytes.
    pub(crate) inflight: u64,
    bw_latest: u64,
    /// BBR.inflight_latest, bytes.
    pub(crate) inflight_latest: u64,
    /// BBR.is_loss_in_round; a CE mark is a loss here (3.7).
    pub(crate) is_loss_in_round: bool,
    /// There was a CE mark in this round.
    pub(crate) is_marked: bool,
    /// Acknowledgements in this round that brought news of losses or marks.
    pub(crate) loss_events: u32,
    loss_round_delivered: u64,
    /// BBR.loss_round_start
    pub(crate) loss_round_start: bool,
}

impl ShortTerm {
    pub(crate) fn new() -> Self {
        Self {
            bw: INFINITY,
            inflight: INFINITY,
            bw_latest: 0,
            inflight_latest: 0,
            is_loss_in_round: false,
            is_marked: false,
            loss_events: 0,
            loss_round_delivered: 0,
            loss_round_start: false,
        }
    }

    /// NoteLoss()
    pub(crate) fn note_loss(&mut self, delivered: u64, marked: bool) {
        if !self.is_loss_in_round {
            self.loss_round_delivered = delivered;
        }
        self.is_loss_in_round = true;
        self.is_marked |= marked;
        self.loss_events = self.loss_events.saturating_add(1);
    }

    /// UpdateLatestDeliverySignals()
    pub(crate) fn update_latest(&mut self, sample: &RateSample, delivered: u64) {
        self.bw_latest = self.bw_latest.max(sample.delivery_rate);
        self.inflight_latest = self.inflight_latest.max(sample.delivered);
        self.loss_round_start = sample.prior_delivered >= self.loss_round_delivered;
        if self.loss_round_start {
            self.loss_round_delivered = delivered;
        }
    }

    /// AdvanceLatestDeliverySignals()
    pub(crate) fn advance_latest(&mut self, sample: &RateSample) {
        if self.loss_round_start {
            self.bw_latest = sample.delivery_rate;
            self.inflight_latest = sample.delivered;
            self.loss_events = 0;
            self.is_marked = false;
        }
    }

    /// ResetCongestionSignals()
    pub(crate) fn reset_signals(&mut self) {
        self.is_loss_in_round = false;
        self.is_marked = false;
        self.loss_events = 0;
        self.bw_latest = 0;
        self.inflight_latest = 0;
    }

    /// InitLowerBounds() and LossLowerBounds(), once a round with congestion.
    pub(crate) fn lower_bounds(&mut self, max_bw: u64, cwnd: u64) {
        if self.bw == INFINITY {
            self.bw = max_bw;
        }
        if self.inflight == INFINITY {
            self.inflight = cwnd;
        }
        self.bw = self.bw_latest.max(scale(self.bw, BETA));
        self.inflight = self.inflight_latest.max(scale(self.inflight, BETA));
    }

    /// ResetShortTermModel()
    pub(crate) fn reset_bounds(&mut self) {
        self.bw = INFINITY;
        self.inflight = INFINITY;
    }
}
