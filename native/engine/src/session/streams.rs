//! Streams: opened, read, written, finished and given up.

use quinn_proto::{Connection, Dir, ReadError, StreamId, VarInt, WriteError};

use super::Session;
use super::lifetime::saturate;
use super::write_queue::Limit;
use crate::events::{Event, StreamNumber};

/// What is written is kept in pieces of this size, each until all of it is acknowledged. Bytes.
const PIECE: usize = 16 * 1024;

/// What is read between two words to the peer of the connection's room. quinn-proto waits for an eighth of the window:
/// where readers that stand still have used up most of 96 MiB, all others would wait for 12. Bytes.
const ROOM_STEP: u64 = 256 * 1024;

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, and whether the peer's end of the stream came with them. Zero and no end: nothing is here now.
    Bytes {
        /// Bytes written into the buffer.
        count: usize,
        /// No more will come.
        end: bool,
    },
    /// There is no such stream to read: its end was read, it was reset or stopped, or the session is over.
    Gone,
}

/// What a write took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// So many bytes. Fewer than given: there is no room now, or others come first, and [`Session::next_writable`] gives
    /// the stream when it may go on.
    Taken(usize),
    /// The peer asked for no more (STOP_SENDING).
    Stopped,
    /// There is no such stream to write: it was finished or reset, or the session is over.
    Gone,
}

impl Session {
    /// Opens a stream. None while the peer allows no more; [`Event::Available`] says when it does.
    pub fn open(&mut self) -> Option<StreamNumber> {
        let id = self.open_connection()?.streams().open(Dir::Bi)?;
        StreamNumber::try_from(u64::from(id)).ok()
    }

    /// Reads what is here, as much as the buffer takes.
    pub fn read(&mut self, stream: StreamNumber, buffer: &mut [u8]) -> Read {
        let Some((id, connection)) = self.stream(stream) else {
            return Read::Gone;
        };
        let mut receiving = connection.recv_stream(id);
        let Ok(mut chunks) = receiving.read(true) else {
            return Read::Gone;
        };
        let mut rest = buffer;
        let mut count = 0;
        let mut outcome = None;
        while !rest.is_empty() {
            match chunks.next(rest.len()) {
                Ok(Some(chunk)) => {
                    let (here, after) = rest.split_at_mut(chunk.bytes.len().min(rest.len()));
                    here.copy_from_slice(chunk.bytes.get(..here.len()).unwrap_or_default());
                    count += here.len();
                    rest = after;
                }
                Ok(None) => {
                    outcome = Some(Ok(()));
                    break;
                }
                Err(error) => {
                    outcome = Some(Err(error));
                    break;
                }
            }
        }
        // What must be sent because of this is found by the next transmission.
        let _ = chunks.finalize();
        if outcome.is_some() {
            self.readable.remove(&id);
        }
        self.tell_room(count as u64);
        if let Some(Err(ReadError::Reset(code))) = outcome {
            self.tell(stream.into(), |stream| Event::Reset(stream, saturate(code)));
            return Read::Gone;
        }
        Read::Bytes {
            count,
            end: outcome == Some(Ok(())),
        }
    }

    /// Hands over as much as there is room for. The bytes are copied. With none, only asks whether there may be more.
    pub fn write(&mut self, stream: StreamNumber, bytes: &[u8]) -> Write {
        let Some((id, connection)) = self.stream(stream) else {
            return Write::Gone;
        };
        if bytes.is_empty() {
            return match connection.send_stream(id).stopped() {
                Ok(None) => Write::Taken(0),
                Ok(Some(_)) => Write::Stopped,
                Err(_) => Write::Gone,
            };
        }
        let granted = self.write_queue.grant(id, bytes.len());
        let written = self.write_granted(id, bytes.get(..granted).unwrap_or(bytes));
        match written {
            Ok((taken, room)) => {
                let limit = match room {
                    false => Limit::Room,
                    true if taken < bytes.len() => Limit::Granted,
                    true => Limit::None,
                };
                self.write_queue.wrote(id, taken, limit);
                Write::Taken(taken)
            }
            Err(refused) => {
                self.write_queue.forget(id);
                refused
            }
        }
    }

    /// The streams that found no room, or whose turn it was not, one by one as they may write. Those behind it are told
    /// after it has written: until there are none, or no room is left.
    pub fn next_writable(&mut self) -> Option<StreamNumber> {
        self.open_connection()?;
        let id = self.write_queue.pop()?;
        StreamNumber::try_from(u64::from(id)).ok()
    }

    /// Ends this end's direction after what was written. False when there is nothing to end.
    pub fn finish_stream(&mut self, stream: StreamNumber) -> bool {
        let Some((id, connection)) = self.stream(stream) else {
            return false;
        };
        let finished = connection.send_stream(id).finish().is_ok();
        self.write_queue.forget(id);
        finished
    }

    /// Gives up this end's direction (RESET_STREAM). False when it is over already.
    pub fn reset(&mut self, stream: StreamNumber, code: u32) -> bool {
        let Some((id, connection)) = self.stream(stream) else {
            return false;
        };
        let reset = connection.send_stream(id).reset(VarInt::from_u32(code)).is_ok();
        self.write_queue.forget(id);
        reset
    }

    /// Wants no more of the peer's direction (STOP_SENDING); what is unread is dropped. False when it is over already.
    pub fn stop(&mut self, stream: StreamNumber, code: u32) -> bool {
        let Some((id, connection)) = self.stream(stream) else {
            return false;
        };
        let stopped = connection.recv_stream(id).stop(VarInt::from_u32(code)).is_ok();
        self.readable.remove(&id);
        stopped
    }

    /// Whether something of this end's direction is still to be written or delivered, and the peer wants it.
    pub fn is_kept(&mut self, stream: StreamNumber) -> bool {
        self.stream(stream)
            .is_some_and(|(id, connection)| connection.send_stream(id).stopped() == Ok(None))
    }

    /// The code of a reset that has come, told once.
    pub(super) fn received_reset(&mut self, id: StreamId) -> Option<VarInt> {
        let code = self.open_connection()?.recv_stream(id).received_reset().ok()??;
        self.readable.remove(&id);
        Some(code)
    }
}

impl Session {
    /// Tells the peer of the room that reading has made, a step at a time.
    fn tell_room(&mut self, read: u64) {
        self.untold_room = self.untold_room.saturating_add(read);
        if self.untold_room < ROOM_STEP {
            return;
        }
        self.untold_room = 0;
        let window = self.connection_window;
        let Some(connection) = self.open_connection() else {
            return;
        };
        // A window that grows is told at once. It grows by a byte, which is taken back with the next that is read.
        for size in [window.saturating_add(1), window] {
            connection.set_receive_window(VarInt::from_u64(size).unwrap_or(VarInt::MAX));
        }
    }

    /// How much was taken, and whether there was room for all.
    fn write_granted(&mut self, id: StreamId, bytes: &[u8]) -> Result<(usize, bool), Write> {
        let connection = self.open_connection().ok_or(Write::Gone)?;
        let mut sending = connection.send_stream(id);
        let mut rest = bytes;
        // Until it says that it is full: only then does it tell when it is not.
        while !rest.is_empty() {
            match sending.write(rest.get(..PIECE).unwrap_or(rest)) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(WriteError::Blocked) => return Ok((bytes.len() - rest.len(), false)),
                Err(WriteError::Stopped(_)) => return Err(Write::Stopped),
                Err(WriteError::ClosedStream) => return Err(Write::Gone),
            }
        }
        Ok((bytes.len(), true))
    }

    /// A stream that may be used: bidirectional, as all are here, and the peer's only once it was told of.
    fn stream(&mut self, stream: StreamNumber) -> Option<(StreamId, &mut Connection)> {
        let id = StreamId::from(VarInt::from_u32(stream));
        let accepted = self.accepted;
        let connection = self.open_connection()?;
        let usable = id.dir() == Dir::Bi && (id.initiator() == connection.side() || id.index() < accepted);
        usable.then_some((id, connection))
    }
}
