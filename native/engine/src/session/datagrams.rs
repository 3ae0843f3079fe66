//! QUIC datagrams (RFC 9221): small, unordered, and lost like UDP's own.

use bytes::Bytes;
use quinn_proto::SendDatagramError;

use super::Session;

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramSent {
    /// It goes with the next packets.
    Queued,
    /// Too many wait: it is lost.
    NoRoom,
    /// It is longer than [`Session::max_datagram`].
    TooLarge,
    /// The session is over, or not open yet.
    Gone,
}

impl Session {
    /// Queues a datagram; the bytes are copied.
    pub fn send_datagram(&mut self, bytes: &[u8]) -> DatagramSent {
        let Some(connection) = self.open_connection() else {
            return DatagramSent::Gone;
        };
        match connection.datagrams().send(Bytes::copy_from_slice(bytes), false) {
            Ok(()) => DatagramSent::Queued,
            Err(SendDatagramError::Blocked(_)) => DatagramSent::NoRoom,
            Err(
                SendDatagramError::TooLarge
                | SendDatagramError::UnsupportedByPeer
                | SendDatagramError::Disabled,
            ) => DatagramSent::TooLarge,
        }
    }

    /// Takes the oldest datagram that has come.
    pub fn receive_datagram(&mut self) -> Option<Bytes> {
        self.open_connection()?.datagrams().recv()
    }

    /// The longest datagram that may be sent now, in bytes; 0 when the peer takes none.
    pub fn max_datagram(&mut self) -> usize {
        self.open_connection()
            .and_then(|connection| connection.datagrams().max_size())
            .unwrap_or(0)
    }
}
