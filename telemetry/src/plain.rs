//! One text, made harmless.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` on one line, without effect on whatever shows it.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same, over as many lines as it has: for messages of ours that have more than one.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(|c| is_plain(c) || stays(c)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_plain(c) || stays(c) { escaped.push(c) } else { push_escape(&mut escaped, c) }
    }
    Cow::Owned(escaped)
}

/// Appends the escape that JSON has for `c`. Those of control characters and of what reorders text
/// are below U+10000, where one is enough.
pub(crate) fn push_escape(text: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = match c {
        '\n' => write!(text, "\\n"),
        '\r' => write!(text, "\\r"),
        '\t' => write!(text, "\\t"),
        other => write!(text, "\\u{:04x}", u32::from(other)),
    };
}

/// Neither a control character (of ASCII, or of ISO 6429's second set, with which U+009B begins what
/// ESC `[` begins), nor a separator of lines, nor one of the marks that turn the direction of text
/// (Unicode Standard Annex 9; "Trojan Source", CVE-2021-42574).
pub(crate) fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}') && !turns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_have_an_effect_is_shown_instead() {
        assert_eq!(
            plain("a\x1b[31mb\x07\0\r\n\t\x7f"),
            "a\\u001b[31mb\\u0007\\u0000\\r\\n\\t\\u007f"
        );
        assert_eq!(plain("\u{9b}2J \u{2028} \u{202e}txt"), "\\u009b2J \\u2028 \\u202etxt");
        assert_eq!(plain_lines("one\r\ntwo\x1b"), "one\\r\ntwo\\u001b");
        assert!(matches!(plain("héllo 日本 😀"), Cow::Borrowed("héllo 日本 😀")));
    }

    proptest! {
        #[test]
        fn nothing_comes_through(text: String) {
            prop_assert!(plain(&text).chars().all(is_plain));
            prop_assert_eq!(plain_lines(&text).matches('\n').count(), text.matches('\n').count());
        }
    }
}
