//! What was read on one side and not yet taken by the other.

/// Bytes that wait, at most one read's worth.
#[derive(Default)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    /// How many of them are taken.
    taken: usize,
}

impl Waiting {
    /// Keeps a copy. Nothing else may be waiting.
    pub(super) fn keep(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            taken: 0,
        }
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// What is left behind so many that were taken. The memory goes with the last of them.
    pub(super) fn after(self, count: usize) -> Self {
        let taken = self.taken.saturating_add(count);
        if taken < self.bytes.len() {
            Self { taken, ..self }
        } else {
            Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Waiting;

    #[test]
    fn what_is_taken_part_by_part_is_given_once_and_its_memory_goes_with_the_last() {
        let waiting = Waiting::keep(b"abcdef").after(2).after(0).after(3);
        assert_eq!(waiting.rest(), b"f");
        let waiting = waiting.after(1);
        assert!(waiting.is_empty());
        assert_eq!(waiting.bytes.capacity(), 0);
    }
}
