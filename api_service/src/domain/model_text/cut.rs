//! Makes text shorter, in characters (Unicode scalar values).

use std::borrow::Cow;

/// Stands where nothing longer has room.
const ELLIPSIS: char = '…';

/// How many characters a text has.
pub fn characters(text: &str) -> usize {
    text.chars().count()
}

/// `text` in at most `room` characters: its head and its tail are kept, and between them stands on a line of its
/// own what `gap` says about so many characters that were left out.
pub fn middle(text: &str, room: usize, gap: impl Fn(usize) -> String) -> Cow<'_, str> {
    let all = characters(text);
    if all <= room {
        return Cow::Borrowed(text);
    }
    let line = |left_out| format!("\n{}\n", gap(left_out));
    // No number is longer than that of all of them.
    let reserved = characters(&line(all));
    let Some(kept) = room.checked_sub(reserved).filter(|kept| *kept > 0) else {
        return Cow::Owned(end(text, room).into_owned());
    };
    let (head, tail) = (kept / 2, kept - kept / 2);
    let line = line(all - kept);
    Cow::Owned(format!("{}{line}{}", first(text, head), last(text, all, tail)))
}

/// The beginning of `text`, in at most `room` characters.
pub fn end(text: &str, room: usize) -> Cow<'_, str> {
    if characters(text) <= room {
        return Cow::Borrowed(text);
    }
    match room.checked_sub(1) {
        Some(kept) => Cow::Owned(format!("{}{ELLIPSIS}", first(text, kept))),
        None => Cow::Borrowed(""),
    }
}

fn first(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// Of a text of `all` characters.
fn last(text: &str, all: usize, count: usize) -> &str {
    text.char_indices().nth(all - count).map_or("", |(start, _)| &text[start..])
}

#[cfg(test)]
mod tests {
    use super::{characters, end, middle};

    proptest::proptest! {
        #[test]
        fn it_is_never_longer_and_keeps_both_ends(text in "[a-zäß€😀\n]{0,300}", room in 0_usize..320) {
            let cut = middle(&text, room, |count| format!("[{count} left out]"));
            proptest::prop_assert!(characters(&cut) <= room);
            if characters(&text) <= room {
                proptest::prop_assert_eq!(&*cut, &*text);
            } else if room > 30 {
                proptest::prop_assert!(cut.contains("left out]"));
                proptest::prop_assert_eq!(cut.chars().next(), text.chars().next());
                proptest::prop_assert_eq!(cut.chars().last(), text.chars().last());
            }
            proptest::prop_assert!(characters(&end(&text, room)) <= room);
        }
    }
}
