//! Text of hostile programs, for a terminal.

use std::fmt::Write;

/// Writes what a terminal would act upon, and what would be shown in another order or not at all,
/// as `\u{1b}`. Lines stay lines.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || !(letter.is_control() || is_invisible(letter)) {
            shown.push(letter);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", letter.escape_unicode());
        }
    }
    shown
}

/// The same for JSON, in its own spelling: such letters stand in strings only.
pub fn harmless_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || !(letter.is_control() || is_invisible(letter)) {
            shown.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

/// Directions, joiners and separators that make text look like another text.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{harmless, harmless_json};

    #[test]
    fn json_stays_the_same_json() {
        let text = serde_json::to_string("a\u{9b}2J\u{202e}\u{e0041}ä").expect("JSON");
        let shown = harmless_json(&text);
        assert_eq!(shown, "\"a\\u009b2J\\u202e\\udb40\\udc41ä\"");
        assert_eq!(serde_json::from_str::<String>(&shown).ok(), serde_json::from_str(&text).ok());
    }

    #[test]
    fn nothing_that_a_terminal_acts_upon_gets_through() {
        let shown = harmless("a\u{1b}]0;title\u{7}\r\u{9b}2J\u{0}\u{202e}b\nä✓");
        assert_eq!(shown, "a\\u{1b}]0;title\\u{7}\\u{d}\\u{9b}2J\\u{0}\\u{202e}b\nä✓");
    }
}
