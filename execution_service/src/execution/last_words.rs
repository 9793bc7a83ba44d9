//! The end of what a program wrote to standard error, for whoever has to say why it died.

/// Bytes that are kept. A sanitizer's report has some 4 KiB.
const MOST: usize = 16 << 10;

/// The last bytes of a stream.
#[derive(Debug, Default)]
pub struct LastWords(Vec<u8>);

impl LastWords {
    /// What was written next.
    pub fn push(&mut self, data: &[u8]) {
        self.0.extend_from_slice(&data[data.len().saturating_sub(MOST)..]);
        // Not at every push: a program may write a byte at a time.
        if self.0.len() > 2 * MOST {
            self.cut();
        }
    }

    /// As text.
    pub fn text(mut self) -> String {
        self.cut();
        String::from_utf8_lossy(&self.0).into_owned()
    }

    fn cut(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_end_is_kept_and_no_more(pieces in vec((any::<u8>(), 0_usize..40_000), 0..8)) {
            let (mut words, mut all) = (LastWords::default(), Vec::new());
            for (byte, times) in pieces {
                let piece = vec![byte & 0x7f; times];
                words.push(&piece);
                prop_assert!(words.0.len() <= 2 * MOST);
                all.extend(piece);
            }
            let end = &all[all.len().saturating_sub(MOST)..];
            let text = words.text();
            prop_assert_eq!(text.as_bytes(), end);
        }
    }
}
