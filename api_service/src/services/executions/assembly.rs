//! Output in whole characters: an event that ends within one leaves its beginning to the next. It is done once, when
//! the event is numbered, so that whoever follows from any number on reads the same.

use bytes::Bytes;

use crate::domain::event::{Event, OutputStream};

/// What is held back of both streams.
#[derive(Default)]
pub(super) struct Assembly {
    stdout: Tail,
    stderr: Tail,
}

/// The beginning of a character, at most three bytes; nothing when empty.
#[derive(Default)]
struct Tail {
    bytes: Bytes,
    /// Position of its first byte in the whole stream.
    offset: u64,
}

impl Assembly {
    /// Gives `event` on to `append`, as whole characters as far as it has some.
    pub(super) fn pass(&mut self, event: Event, append: &mut impl FnMut(Event)) {
        let Event::Output { stream, offset, data } = event else {
            return append(event);
        };
        let tail = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        let (offset, mut data) = tail.join(stream, offset, data, append);
        let rest = data.split_off(data.len() - unfinished(&data));
        *tail = Tail { offset: offset.saturating_add(data.len() as u64), bytes: rest };
        if !data.is_empty() {
            append(Event::Output { stream, offset, data });
        }
    }

    /// Nothing more comes: gives on what is held back.
    pub(super) fn finish(&mut self, append: &mut impl FnMut(Event)) {
        self.stdout.flush(OutputStream::Stdout, append);
        self.stderr.flush(OutputStream::Stderr, append);
    }
}

impl Tail {
    /// What is held back and `data` in one, or only `data` where something is left out between them.
    fn join(
        &mut self,
        stream: OutputStream,
        offset: u64,
        data: Bytes,
        append: &mut impl FnMut(Event),
    ) -> (u64, Bytes) {
        if self.bytes.is_empty() {
            return (offset, data);
        }
        if self.offset.saturating_add(self.bytes.len() as u64) != offset {
            self.flush(stream, append);
            return (offset, data);
        }
        (self.offset, [&*std::mem::take(&mut self.bytes), &*data].concat().into())
    }

    fn flush(&mut self, stream: OutputStream, append: &mut impl FnMut(Event)) {
        let (offset, data) = (self.offset, std::mem::take(&mut self.bytes));
        if !data.is_empty() {
            append(Event::Output { stream, offset, data });
        }
    }
}

/// How many bytes at the end of `data` are the beginning of a character whose rest is not there.
fn unfinished(data: &[u8]) -> usize {
    let is_begun = |length: &usize| {
        let end = &data[data.len() - length..];
        let read = std::str::from_utf8(end);
        read.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=data.len().min(3)).rev().find(is_begun).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces that `bytes`, cut at `cuts`, come out in.
    fn passed(bytes: &[u8], cuts: &[usize]) -> Vec<(u64, Vec<u8>)> {
        let mut told = Vec::new();
        let mut append = |event| {
            let Event::Output { offset, data, .. } = event else { panic!("{event:?}") };
            told.push((offset, data.to_vec()));
        };
        let (mut assembly, mut begin) = (Assembly::default(), 0);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        for end in ends {
            let data = Bytes::copy_from_slice(&bytes[begin..end]);
            let stream = OutputStream::Stdout;
            assembly.pass(Event::Output { stream, offset: begin as u64, data }, &mut append);
            begin = end;
        }
        assembly.finish(&mut append);
        told
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "[aäß€😀\u{7ff}\u{ffff}]{0,20}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..40),
            prop::collection::vec(
                prop::sample::select(vec![0xf0, 0x9f, 0xe2, 0x80, 0xed, b'a']),
                0..20
            ),
        ]
    }

    proptest! {
        /// However text is cut, each piece is text, and together they are all of it.
        #[test]
        fn text_stays_text(text in "[aäß€😀]{0,20}", cuts in prop::collection::vec(any::<usize>(), 0..9)) {
            let told = passed(text.as_bytes(), &cuts);
            let mut all = String::new();
            for (offset, piece) in told {
                prop_assert_eq!(offset, all.len() as u64);
                all.push_str(std::str::from_utf8(&piece).expect("whole characters"));
            }
            prop_assert_eq!(all, text);
        }

        /// Whatever the bytes: none is lost, and read piece by piece they are what they are in one.
        #[test]
        fn pieces_read_as_the_whole(bytes in bytes(), cuts in prop::collection::vec(any::<usize>(), 0..9)) {
            let told = passed(&bytes, &cuts);
            let all: Vec<u8> = told.iter().flat_map(|(_, piece)| piece.clone()).collect();
            prop_assert_eq!(&all, &bytes);
            let read: String =
                told.iter().map(|(_, piece)| String::from_utf8_lossy(piece).into_owned()).collect();
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes).into_owned());
        }
    }

    #[test]
    fn what_is_left_out_joins_nothing() {
        let mut told = Vec::new();
        let mut append = |event| {
            let Event::Output { offset, data, .. } = event else { panic!("{event:?}") };
            told.push((offset, data));
        };
        let mut assembly = Assembly::default();
        let output = |offset, data: &'static [u8]| Event::Output {
            stream: OutputStream::Stderr,
            offset,
            data: Bytes::from_static(data),
        };
        assembly.pass(output(0, b"a\xc3"), &mut append);
        assembly.pass(output(100, b"\xa4"), &mut append);
        let expected: [(u64, &[u8]); 3] = [(0, b"a"), (1, b"\xc3"), (100, b"\xa4")];
        assert_eq!(told, expected.map(|(offset, data)| (offset, Bytes::from_static(data))));
    }
}
