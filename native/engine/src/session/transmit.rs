//! What goes out.

use std::time::Instant;

use quinn_proto::Transmit;

use super::Session;

impl Session {
    /// The next batch for the peer: `buffer` is filled with datagrams of one size, at most so many.
    pub fn transmit(&mut self, now: Instant, max_datagrams: usize, buffer: &mut Vec<u8>) -> Option<Transmit> {
        buffer.clear();
        if let Some((transmit, bytes)) = self.refusal.take() {
            buffer.extend(bytes);
            return Some(transmit);
        }
        for link in self.link.iter_mut().chain(self.attempts.iter_mut()) {
            if let Some(transmit) = link.connection.poll_transmit(now, max_datagrams.max(1), buffer) {
                return Some(transmit);
            }
            buffer.clear();
        }
        // They have said why.
        self.attempts.remove_lost(&mut self.endpoint);
        None
    }

    /// UDP payload of the packets that are sent now, in bytes.
    pub fn packet_size(&mut self) -> usize {
        let link = self.link.as_mut().or_else(|| self.attempts.iter_mut().next());
        link.map_or(1200, |link| usize::from(link.connection.current_mtu()))
    }
}
