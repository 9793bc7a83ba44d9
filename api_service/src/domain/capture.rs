//! Turns the pieces of an output stream back into one text.

/// Most bytes of one stream that the gateway holds, whatever the worker sends.
const MAX_HELD: usize = 16 << 20;

/// One output stream, as far as it has arrived.
#[derive(Debug, Default)]
pub struct Capture {
    bytes: Vec<u8>,
    /// Position in the whole stream up to which everything was kept or marked as left out.
    position: u64,
}

/// What a program wrote to one stream, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapturedText {
    /// The text, with a marker line wherever bytes were left out.
    pub text: String,
    /// True when bytes were not UTF-8 and stand as U+FFFD in the text.
    pub replaced: bool,
}

impl Capture {
    /// Takes in `data`, whose first byte is byte `offset` of the whole stream. Gives by how many bytes that
    /// has made [`Self::bytes`] longer.
    pub fn absorb(&mut self, offset: u64, data: &[u8]) -> usize {
        let before = self.bytes.len();
        if before.saturating_add(data.len()) > MAX_HELD {
            return 0;
        }
        self.mark_gap_up_to(offset);
        self.bytes.extend_from_slice(data);
        self.position = offset.saturating_add(data.len() as u64);
        self.bytes.len() - before
    }

    /// What has arrived, with a marker line wherever bytes were left out.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Nothing more comes of a stream that had `total` bytes in all: what has not arrived was left out.
    pub fn end(&mut self, total: u64) {
        self.mark_gap_up_to(total);
    }

    /// The text of a stream that had `total` bytes in all.
    pub fn finish(mut self, total: u64) -> CapturedText {
        self.end(total);
        match String::from_utf8(self.bytes) {
            Ok(text) => CapturedText { text, replaced: false },
            Err(error) => CapturedText {
                text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
                replaced: true,
            },
        }
    }

    fn mark_gap_up_to(&mut self, offset: u64) {
        let missing = offset.saturating_sub(self.position);
        if missing > 0 {
            self.bytes.extend_from_slice(format!("\n… [{missing} bytes left out] …\n").as_bytes());
            self.position = offset;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Capture;

    #[test]
    fn pieces_join_and_a_jump_is_marked() {
        let mut capture = Capture::default();
        capture.absorb(0, b"head");
        capture.absorb(4, b"er");
        capture.absorb(106, b"tail");
        let captured = capture.finish(110);
        assert_eq!(captured.text, "header\n… [100 bytes left out] …\ntail");
        assert!(!captured.replaced);
    }

    proptest::proptest! {
        /// However a text is cut into pieces, at characters or within, it is put together again.
        #[test]
        fn text_in_any_pieces_is_the_text(text in ".{0,60}", size in 1_usize..7) {
            let mut capture = Capture::default();
            for (number, piece) in text.as_bytes().chunks(size).enumerate() {
                capture.absorb((number * size) as u64, piece);
            }
            let captured = capture.finish(text.len() as u64);
            proptest::prop_assert_eq!((captured.text, captured.replaced), (text, false));
        }

        /// Pieces with gaps between them, in any bytes: nothing of what came is lost.
        #[test]
        fn what_came_is_there_and_what_did_not_is_counted(
            pieces in proptest::collection::vec((0_u64..20, "[a-zäöü€]{0,9}"), 0..8),
        ) {
            let mut capture = Capture::default();
            let (mut position, mut expected) = (0, String::new());
            for (gap, piece) in &pieces {
                // Nobody sees a gap before a piece of nothing: it is part of the next one.
                if piece.is_empty() {
                    continue;
                }
                if *gap > 0 {
                    expected.push_str(&format!("\n… [{gap} bytes left out] …\n"));
                }
                position += gap;
                capture.absorb(position, piece.as_bytes());
                position += piece.len() as u64;
                expected.push_str(piece);
            }
            let captured = capture.finish(position);
            proptest::prop_assert_eq!((captured.text, captured.replaced), (expected, false));
        }
    }

    #[test]
    fn a_missing_end_is_marked() {
        let mut capture = Capture::default();
        capture.absorb(0, b"head");
        assert_eq!(capture.finish(10).text, "head\n… [6 bytes left out] …\n");
    }

    #[test]
    fn a_character_split_between_pieces_survives() {
        let mut capture = Capture::default();
        capture.absorb(0, &"é".as_bytes()[..1]);
        capture.absorb(1, &"é".as_bytes()[1..]);
        let captured = capture.finish(2);
        assert_eq!((captured.text.as_str(), captured.replaced), ("é", false));
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced_and_flagged() {
        let mut capture = Capture::default();
        capture.absorb(0, b"a\xffb");
        let captured = capture.finish(3);
        assert_eq!((captured.text.as_str(), captured.replaced), ("a\u{fffd}b", true));
    }
}
