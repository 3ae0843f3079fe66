//! Whose turn it is to write, where many would.
//!
//! quinn-proto names the streams that a full window has kept waiting in the reverse order of their coming, all of them
//! at once: who came last would take what there is each time. And where there is room, who has most at hand would take
//! most of it. So a stream writes its part of each turn and no more; and those that find no room line up by how much
//! each has written, and are told one by one until nothing is left. Who writes little comes before those who would write
//! all the time.

use std::collections::BTreeSet;

use quinn_proto::StreamId;
use rustc_hash::{FxHashMap, FxHashSet};

/// What all streams together write in a turn, roughly, and what each may at least. Bytes.
const TURN: usize = 512 * 1024;
const LEAST: usize = 16 * 1024;
/// Who has written little, or nothing for a while, is this far before the first in the line and no further: nobody saves
/// up. Bytes.
const MAX_LEAD: u64 = 4 * LEAST as u64;

/// Why a write took no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// It took all.
    None,
    /// It was granted no more.
    Granted,
    /// There is no room; quinn-proto tells when there is.
    Room,
}

/// What is known of a stream that has written.
#[derive(Clone, Copy, Default)]
struct Writer {
    /// Its place in the line: behind the one before by what it wrote then.
    place: u64,
    /// The turn in which it wrote last, and how much.
    turn: u64,
    written: usize,
    /// quinn-proto has named it, so that only the connection's own want of room can leave it with nothing. Of others it
    /// may be the peer who takes no more.
    named: bool,
}

/// The streams that would write.
#[derive(Default)]
pub(super) struct WriteQueue {
    writers: FxHashMap<StreamId, Writer>,
    /// Those that there may be room for.
    ready: BTreeSet<(u64, StreamId)>,
    /// Those that have had their part of this turn.
    spent: FxHashSet<StreamId>,
    /// The furthest place that anybody has had.
    furthest: u64,
    turn: u64,
    /// Streams that have written in this turn.
    writing: usize,
    /// Streams that write in a turn: as many as in the last, or a few less than in the one before it.
    active: usize,
    /// Whom it was told that there is room.
    told: Option<StreamId>,
    /// There was none.
    full: bool,
}

impl WriteQueue {
    /// A turn begins: there may be room again, and all may write.
    pub(super) fn begin_turn(&mut self) {
        if self.writing > 0 {
            self.active = self.writing.max(self.active - self.active.div_ceil(8));
        }
        self.writing = 0;
        self.turn = self.turn.wrapping_add(1);
        self.full = false;
        for id in std::mem::take(&mut self.spent) {
            self.wait(id, false);
        }
    }

    /// How much of so many bytes the stream may try to write. 0: others come first, and it is told later.
    pub(super) fn grant(&mut self, id: StreamId, wanted: usize) -> usize {
        self.leave(id);
        let writer = self.writer(id);
        if self.ready.first().is_some_and(|(first, _)| *first < writer.place) {
            return 0;
        }
        if self.active <= 1 && self.ready.is_empty() {
            return wanted;
        }
        let part = (TURN / self.active.max(1)).max(LEAST);
        wanted.min(part.saturating_sub(writer.written))
    }

    /// The stream has tried, and so many bytes were taken.
    pub(super) fn wrote(&mut self, id: StreamId, taken: usize, limit: Limit) {
        let mut writer = self.writer(id);
        let was_told = self.told.take_if(|told| *told == id).is_some();
        if taken > 0 {
            if writer.written == 0 {
                self.writing += 1;
            }
            writer.place = writer.place.saturating_add(taken as u64);
            writer.written = writer.written.saturating_add(taken);
            self.furthest = self.furthest.max(writer.place);
        }
        self.writers.insert(id, writer);
        match limit {
            Limit::None => {}
            Limit::Granted => {
                self.spent.insert(id);
            }
            Limit::Room => self.full |= was_told && writer.named && taken == 0,
        }
    }

    /// There is room for this stream.
    pub(super) fn has_room(&mut self, id: StreamId) {
        self.full = false;
        self.wait(id, true);
    }

    /// Whom to tell that there is room.
    pub(super) fn pop(&mut self) -> Option<StreamId> {
        if self.full {
            return None;
        }
        let (_, id) = self.ready.pop_first()?;
        self.told = Some(id);
        Some(id)
    }

    /// Somebody is to be told, in this turn or the next.
    pub(super) fn is_due(&self) -> bool {
        !self.spent.is_empty() || !self.full && !self.ready.is_empty()
    }

    /// The stream writes no more.
    pub(super) fn forget(&mut self, id: StreamId) {
        self.leave(id);
        self.spent.remove(&id);
        self.writers.remove(&id);
    }

    fn writer(&self, id: StreamId) -> Writer {
        let mut writer = self.writers.get(&id).copied().unwrap_or_default();
        writer.place = writer.place.max(self.furthest.saturating_sub(MAX_LEAD));
        if writer.turn != self.turn {
            writer.turn = self.turn;
            writer.written = 0;
        }
        writer
    }

    fn leave(&mut self, id: StreamId) {
        if let Some(writer) = self.writers.get(&id) {
            self.ready.remove(&(writer.place, id));
        }
    }

    fn wait(&mut self, id: StreamId, named: bool) {
        self.leave(id);
        let mut writer = self.writer(id);
        writer.named = named;
        self.writers.insert(id, writer);
        self.ready.insert((writer.place, id));
    }
}
