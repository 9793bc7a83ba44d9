//! Keeps the head and the tail of a stream that may be far longer than anybody wants to read, and
//! counts all of it.
//!
//! ```text
//! |<------- head ------->|            left out             |<- tail ->|
//! sent as it comes                    counted              sent at the end
//! ```

use std::collections::VecDeque;

/// A capped stream.
#[derive(Debug)]
pub struct Capped {
    head_left: usize,
    tail_size: usize,
    tail: VecDeque<u8>,
    total: u64,
    left_out: bool,
}

/// A piece to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// Position of its first byte in the whole stream.
    pub offset: u64,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl Capped {
    /// A stream of which about `limit` bytes are kept: three quarters of it from the start, where
    /// programs say what they do, and one from the end, where they say what went wrong.
    pub fn new(limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let tail_size = limit / 4;
        Self {
            head_left: limit - tail_size,
            tail_size,
            tail: VecDeque::new(),
            total: 0,
            left_out: false,
        }
    }

    /// Takes what was read; gives what is to be sent now.
    pub fn push(&mut self, data: &[u8]) -> Option<Piece> {
        let offset = self.total;
        self.total += u64::try_from(data.len()).unwrap_or_default();
        let mut head = self.head_left.min(data.len());
        if head < data.len() && head > 0 {
            // The head ends here: not inside a character.
            head = character_start(data, head);
            self.head_left = 0;
        } else {
            self.head_left -= head;
        }
        let (now, later) = data.split_at(head);
        self.keep(later);
        (!now.is_empty()).then(|| Piece { offset, data: now.to_vec() })
    }

    fn keep(&mut self, data: &[u8]) {
        let from = data.len().saturating_sub(self.tail_size);
        self.left_out |= from > 0;
        let data = &data[from..];
        let excess = (self.tail.len() + data.len()).saturating_sub(self.tail_size);
        self.left_out |= excess > 0;
        self.tail.drain(..excess.min(self.tail.len()));
        self.tail.extend(data);
    }

    /// The tail, when the stream has ended.
    pub fn finish(&mut self) -> Option<Piece> {
        let mut data: Vec<u8> = std::mem::take(&mut self.tail).into();
        if self.left_out {
            // The tail begins here: not inside a character either.
            let inside = data.iter().take(3).take_while(|byte| is_continuation(**byte)).count();
            data.drain(..inside);
        }
        let length = u64::try_from(data.len()).unwrap_or_default();
        (!data.is_empty()).then(|| Piece { offset: self.total - length, data })
    }

    /// Bytes of the whole stream.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether something was left out.
    pub fn truncated(&self) -> bool {
        self.left_out
    }
}

/// `10xxxxxx`: inside of a UTF-8 character.
fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The last position not after `cut` at which a character starts. In text that is not UTF-8 that may
/// be anywhere, so it looks back no further than a character is long.
fn character_start(data: &[u8], cut: usize) -> usize {
    (cut.saturating_sub(3)..=cut)
        .rev()
        .find(|position| data.get(*position).is_none_or(|byte| !is_continuation(*byte)))
        .unwrap_or(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(limit: u64, chunks: &[&[u8]]) -> (Vec<Piece>, u64, bool) {
        let mut capped = Capped::new(limit);
        let mut pieces: Vec<Piece> = chunks.iter().filter_map(|chunk| capped.push(chunk)).collect();
        pieces.extend(capped.finish());
        (pieces, capped.total(), capped.truncated())
    }

    #[test]
    fn a_short_stream_comes_whole() {
        let (pieces, total, truncated) = run(8, &[b"abc", b"defgh"]);
        let text: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.data).collect();
        assert_eq!((text.as_slice(), total, truncated), (b"abcdefgh".as_slice(), 8, false));
    }

    #[test]
    fn a_long_stream_keeps_head_and_tail_and_counts_the_rest() {
        let (pieces, total, truncated) = run(8, &[b"0123456789", b"abcdef"]);
        assert_eq!(
            pieces,
            [
                Piece { offset: 0, data: b"012345".to_vec() },
                Piece { offset: 14, data: b"ef".to_vec() }
            ]
        );
        assert_eq!((total, truncated), (16, true));
    }

    #[test]
    fn no_character_is_cut() {
        let text = "äöüäöüäöüäöü".as_bytes();
        for limit in 4..24 {
            let (pieces, ..) = run(limit, &[text]);
            for piece in pieces {
                assert!(std::str::from_utf8(&piece.data).is_ok(), "limit {limit}: {piece:?}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_not_confuse_it() {
        let (pieces, total, _) = run(8, &[&[0x80; 100]]);
        assert!(pieces.iter().all(|piece| piece.data.len() <= 8));
        assert_eq!(total, 100);
    }
}
