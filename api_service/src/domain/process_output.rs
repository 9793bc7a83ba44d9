//! What a process wrote to one stream, for an answer: its head and its tail, and how much it was in all.

use std::collections::VecDeque;

use crate::domain::capture::{Capture, CapturedText};

/// Bytes that are kept of the beginning of a stream, where programs say what they do.
const HEAD: usize = 768 << 10;
/// The same of its end, where they say what went wrong.
const TAIL: usize = 256 << 10;

/// One stream, as far as it has come.
#[derive(Debug, Default)]
pub struct ProcessOutput {
    head: Vec<u8>,
    head_is_over: bool,
    tail: VecDeque<u8>,
    /// Position behind the last byte that has come.
    position: u64,
}

impl ProcessOutput {
    /// Takes in `data`, whose first byte is byte `offset` of the whole stream.
    pub fn absorb(&mut self, offset: u64, data: &[u8]) {
        if offset > self.position {
            // What lies between is gone, and what is before it is not the end any more.
            self.head_is_over = true;
            self.tail.clear();
        }
        self.position = offset + data.len() as u64;
        let mut rest = data;
        if !self.head_is_over {
            let room = HEAD - self.head.len();
            self.head_is_over = data.len() > room;
            let cut = if self.head_is_over { character_start(data, room) } else { data.len() };
            self.head.extend_from_slice(&data[..cut]);
            rest = &data[cut..];
        }
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }

    /// How much has come of it, with what was left out before the last of that.
    pub fn total(&self) -> u64 {
        self.position
    }

    /// Bytes that are kept.
    pub fn length(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Its text, where it had `total` bytes in all, and whether some are left out.
    pub fn finish(self, total: u64) -> (CapturedText, bool) {
        let Self { head, mut tail, position, .. } = self;
        let total = total.max(position);
        let begins = |tail: &VecDeque<u8>| position - tail.len() as u64;
        if begins(&tail) > head.len() as u64 {
            // Not inside a character.
            let inside = tail.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
            tail.drain(..inside);
        }
        let kept = (head.len() + tail.len()) as u64;
        let mut capture = Capture::default();
        capture.absorb(0, &head);
        if !tail.is_empty() {
            capture.absorb(begins(&tail), tail.make_contiguous());
        }
        (capture.finish(total), kept < total)
    }
}

/// The last position not after `cut` at which a character starts, or `cut` where there is no text.
fn character_start(data: &[u8], cut: usize) -> usize {
    let begins = |at: &usize| data.get(*at).is_none_or(|byte| *byte & 0xC0 != 0x80);
    (cut.saturating_sub(3)..=cut).rev().find(begins).unwrap_or(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_all_there_and_of_long_output_head_and_tail_are() {
        let mut output = ProcessOutput::default();
        output.absorb(0, b"one ");
        output.absorb(4, b"two");
        let (text, truncated) = output.finish(7);
        assert_eq!((&*text.text, truncated), ("one two", false));

        let mut output = ProcessOutput::default();
        let line = "\u{20ac}".repeat(1000);
        for number in 0..1000 {
            output.absorb(number * 3000, line.as_bytes());
        }
        let (text, truncated) = output.finish(3_000_000);
        assert!(truncated && !text.replaced, "no character was cut");
        assert!(text.text.starts_with(&line) && text.text.ends_with(&line));
        assert!(text.text.len() <= HEAD + TAIL + 100 && text.text.contains("bytes left out"));
    }

    #[test]
    fn what_never_came_is_left_out() {
        let mut output = ProcessOutput::default();
        output.absorb(0, b"head");
        output.absorb(104, b"middle");
        output.absorb(1000, b"tail");
        let (text, truncated) = output.finish(1010);
        assert!(truncated);
        let expected = "head\n… [996 bytes left out] …\ntail\n… [6 bytes left out] …\n";
        assert_eq!(text.text, expected);
    }

    proptest::proptest! {
        #[test]
        fn it_never_holds_more_than_it_may(
            steps in proptest::collection::vec((0_u64..5000, 0_usize..300_000), 0..30),
        ) {
            let (mut output, mut offset) = (ProcessOutput::default(), 0);
            for (gap, length) in steps {
                offset += gap;
                output.absorb(offset, &vec![b'x'; length]);
                offset += length as u64;
                proptest::prop_assert!(output.head.len() <= HEAD && output.tail.len() <= TAIL);
            }
            let (text, _) = output.finish(offset);
            proptest::prop_assert!(text.text.len() <= HEAD + TAIL + 100);
        }
    }
}
