//! Words and signs between the nodes of a tree, which the tree does not have.

use oxc_span::Span;

/// The words and signs in `[start, end)`, comments passed over. Not for places where strings may be.
pub(crate) fn tokens(source: &str, start: u32, end: u32) -> impl Iterator<Item = Span> {
    let bytes = source.as_bytes();
    let end = (end as usize).min(bytes.len());
    let mut at = (start as usize).min(end);
    std::iter::from_fn(move || {
        while at < end {
            let (rest, from) = (&bytes[at..end], at);
            if rest.starts_with(b"//") {
                at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let closing = rest.windows(2).skip(2).position(|pair| pair == b"*/");
                at += closing.map_or(rest.len(), |position| position + 4);
            } else if is_of_word(rest[0]) {
                at += rest.iter().position(|byte| !is_of_word(*byte)).unwrap_or(rest.len());
                return Some(Span::new(from as u32, at as u32));
            } else {
                at += 1;
                if !rest[0].is_ascii_whitespace() {
                    return Some(Span::new(from as u32, at as u32));
                }
            }
        }
        None
    })
}

/// The first of them that is `text`.
pub(crate) fn find(source: &str, start: u32, end: u32, text: &str) -> Option<Span> {
    tokens(source, start, end).find(|token| of(source, *token) == text)
}

/// The text of `span`.
pub(crate) fn of(source: &str, span: Span) -> &str {
    source.get(span.start as usize..span.end as usize).unwrap_or_default()
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}
