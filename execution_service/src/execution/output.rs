//! Keeps the head and the tail of a stream that may be far longer than anybody wants to read, and
//! counts all of it.
//!
//! ```text
//! |<------- head ------->|            left out             |<- tail ->|
//! sent as it comes                    counted              sent at the end
//! ```

use std::collections::VecDeque;

use super::stream::StreamTotals;

/// A capped stream.
#[derive(Debug)]
pub struct Capped {
    /// Bytes that may still be sent as they come.
    head_left: usize,
    /// The beginning of a character whose rest has not come yet: at most three bytes.
    begun: Vec<u8>,
    tail_size: usize,
    tail: VecDeque<u8>,
    total: u64,
    left_out: bool,
}

/// A piece to send. Of text that is UTF-8, each is, too.
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
            begun: Vec::new(),
            tail_size,
            tail: VecDeque::new(),
            total: 0,
            left_out: false,
        }
    }

    /// Takes what was read; gives what is to be sent now.
    pub fn push(&mut self, data: &[u8]) -> Option<Piece> {
        let offset = self.total - length_of(&self.begun);
        self.total += length_of(data);
        let mut piece = if self.head_left == 0 { Vec::new() } else { self.join(data) };
        if piece.is_empty() {
            self.keep(data);
            return None;
        }
        if piece.len() > self.head_left {
            // The head ends here: not inside a character.
            let later = piece.split_off(character_start(&piece, self.head_left));
            self.head_left = 0;
            self.keep(&later);
        } else {
            self.begun = piece.split_off(complete(&piece));
            self.head_left -= piece.len();
        }
        (!piece.is_empty()).then_some(Piece { offset, data: piece })
    }

    /// What was begun, and `data` after it.
    fn join(&mut self, data: &[u8]) -> Vec<u8> {
        let mut joined = std::mem::take(&mut self.begun);
        joined.extend_from_slice(data);
        joined
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
        // While there is something begun there is no tail: the head has not ended.
        let mut data = std::mem::take(&mut self.begun);
        data.extend(std::mem::take(&mut self.tail));
        if self.left_out {
            // The tail begins here: not inside a character either.
            let inside = data.iter().take(3).take_while(|byte| is_continuation(**byte)).count();
            data.drain(..inside);
        }
        let offset = self.total - length_of(&data);
        (!data.is_empty()).then_some(Piece { offset, data })
    }

    /// Bytes of the whole stream.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes of the whole stream, and whether some were left out.
    pub fn totals(&self) -> StreamTotals {
        StreamTotals { bytes: self.total, truncated: self.left_out, stored: None }
    }
}

fn length_of(data: &[u8]) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
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

/// How many bytes there are before a character at the very end that has only begun.
pub fn complete(data: &[u8]) -> usize {
    for (back, byte) in data.iter().rev().take(3).enumerate() {
        let length = match byte {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x00..=0x7F | 0xC0 | 0xC1 | 0xF5..=0xFF => 1,
        };
        return if length > back + 1 { data.len() - back - 1 } else { data.len() };
    }
    data.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(limit: u64, chunks: &[&[u8]]) -> (Vec<Piece>, u64, bool) {
        let mut capped = Capped::new(limit);
        let mut pieces: Vec<Piece> = chunks.iter().filter_map(|chunk| capped.push(chunk)).collect();
        pieces.extend(capped.finish());
        (pieces, capped.total(), capped.totals().truncated)
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

    #[test]
    fn a_character_that_comes_in_two_reads_is_sent_in_one_piece() {
        let (pieces, ..) = run(100, &[b"a\xE2", b"\x82", b"\xACb", b"\xF0\x9F"]);
        let data: Vec<&[u8]> = pieces.iter().map(|piece| &*piece.data).collect();
        assert_eq!(data, [&b"a"[..], "€b".as_bytes(), b"\xF0\x9F"], "the last is not complete");
    }

    #[test]
    fn the_head_ends_before_a_character_that_it_would_cut_in_a_later_read() {
        // Three bytes of head, and a character of which two had come.
        let (pieces, ..) = run(4, &["a€".as_bytes().split_at(3).0, &"a€xyz".as_bytes()[3..]]);
        assert_eq!(pieces[0], Piece { offset: 0, data: b"a".to_vec() });
        assert_eq!(pieces.last(), Some(&Piece { offset: 6, data: b"z".to_vec() }));
    }

    /// `whole` in chunks of the lengths `cuts`.
    fn chunks<'a>(whole: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut rest = whole;
        let mut chunks = Vec::new();
        for cut in cuts {
            let (chunk, after) = rest.split_at((*cut).min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        chunks.push(rest);
        chunks
    }

    fn check(whole: &[u8], limit: u64, cuts: &[usize]) -> Result<(), TestCaseError> {
        let (pieces, total, truncated) = run(limit, &chunks(whole, cuts));
        prop_assert_eq!(total, whole.len() as u64);
        let mut position = 0;
        let mut kept = 0;
        for Piece { offset, data } in &pieces {
            let from = usize::try_from(*offset).unwrap();
            prop_assert!(from >= position, "pieces overlap: {:?}", pieces);
            prop_assert_eq!(&whole[from..from + data.len()], &data[..]);
            position = from + data.len();
            kept += data.len();
            if std::str::from_utf8(whole).is_ok() {
                prop_assert!(std::str::from_utf8(data).is_ok(), "{:?} of {:?}", data, whole);
            }
        }
        prop_assert_eq!(truncated, kept < whole.len(), "{:?}", pieces);
        prop_assert!(kept as u64 <= limit);
        Ok(())
    }

    proptest! {
        #[test]
        fn pieces_are_what_was_written_and_characters_stay_whole(
            whole in ".{0,80}",
            limit in 0_u64..120,
            cuts in proptest::collection::vec(0_usize..9, 0..40),
        ) {
            check(whole.as_bytes(), limit, &cuts)?;
        }

        #[test]
        fn so_it_is_with_any_bytes(
            whole in proptest::collection::vec(any::<u8>(), 0..200),
            limit in 0_u64..250,
            cuts in proptest::collection::vec(0_usize..40, 0..12),
        ) {
            check(&whole, limit, &cuts)?;
        }
    }
}
