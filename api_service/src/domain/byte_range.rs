//! A part of something, by its bytes.

/// What a caller asks for, before it is known how much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this byte to that one, or to the end.
    From {
        /// Its first byte; the very first is 0.
        first: u64,
        /// Its last byte.
        last: Option<u64>,
    },
    /// So many at the end.
    Last(u64),
}

/// A part that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its first byte.
    pub first: u64,
    /// How many; at least one.
    pub length: u64,
}

impl ByteRange {
    /// From the value of a `Range` header (RFC 9110, section 14). `None` for what it does not define, or for
    /// several ranges at once: a server may ignore those, and sends everything.
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, range) = header.split_once('=')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = range.trim().split_once('-')?;
        match (number(first), number(last)) {
            (Some(first), None) if last.is_empty() => Some(Self::From { first, last: None }),
            (Some(first), Some(last)) if first <= last => {
                Some(Self::From { first, last: Some(last) })
            }
            (None, Some(length)) if first.is_empty() => Some(Self::Last(length)),
            _ => None,
        }
    }

    /// True when it is the end, however long, of nothing at all: the whole of that, not out of range.
    pub fn is_end_of_nothing(self, total: u64) -> bool {
        total == 0 && matches!(self, Self::Last(length) if length > 0)
    }

    /// What that is of `total` bytes; `None` when it is nothing.
    pub fn of(self, total: u64) -> Option<Part> {
        let (first, end) = match self {
            Self::From { first, last: None } => (first, total),
            Self::From { first, last: Some(last) } => (first, total.min(last.saturating_add(1))),
            Self::Last(length) => (total.saturating_sub(length), total),
        };
        (first < end).then(|| Part { first, length: end - first })
    }
}

/// Digits only: a sign is not one. More than any stream has bytes is as good as infinitely many.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{ByteRange, Part};

    fn of(header: &str, total: u64) -> Option<Option<(u64, u64)>> {
        let range = ByteRange::parse(header)?;
        Some(range.of(total).map(|Part { first, length }| (first, length)))
    }

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(of("bytes=0-499", 10_000), Some(Some((0, 500))));
        assert_eq!(of("bytes=500-999", 10_000), Some(Some((500, 500))));
        assert_eq!(of("bytes=-500", 10_000), Some(Some((9500, 500))));
        assert_eq!(of("bytes=9500-", 10_000), Some(Some((9500, 500))));
        assert_eq!(of("Bytes=0-0", 10_000), Some(Some((0, 1))));
        assert_eq!(of("bytes=9999-99999999999999999999999", 10_000), Some(Some((9999, 1))));
        assert_eq!(of("bytes=-10001", 10_000), Some(Some((0, 10_000))), "longer than all");
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        for (header, total) in
            [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-0", 10), ("bytes=-5", 0)]
        {
            assert_eq!(of(header, total), Some(None), "{header} of {total}");
        }
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=+1-2",
            "bytes=0x1-2",
            "lines=0-1",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=1-b",
            "bytes=--1",
            "bytes 0-1",
        ] {
            assert_eq!(ByteRange::parse(header), None, "{header:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_gives_a_part_that_is_there(header in "(bytes=)?[-0-9, a]{0,30}|.*", total: u64) {
            if let Some(Part { first, length }) =
                ByteRange::parse(&header).and_then(|range| range.of(total))
            {
                proptest::prop_assert!(length > 0 && first.checked_add(length).is_some_and(|end| end <= total));
            }
        }
    }
}
