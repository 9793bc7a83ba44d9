//! How a place in a body is written: `limits.memory_bytes`, `args[1]`, `files["../x"]`.

use std::fmt::Write;

/// Longest part of a key that is repeated, in characters.
const SHOWN_KEY: usize = 255;

/// The place of `key` in the object at `path`.
pub fn of_key(path: &str, key: &str) -> String {
    let mut path = path.to_owned();
    push_key(&mut path, key);
    path
}

/// Goes on to `key`. What is no plain word stands in brackets, as JSON writes it: a dot or a slash of
/// the key's own would be taken for one of the path's.
pub(super) fn push_key(path: &mut String, key: &str) {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let shown: String = key.chars().take(SHOWN_KEY).collect();
    // Writing to a string cannot fail.
    let _ = if key.is_empty() || !key.chars().all(plain) {
        write!(path, "[{}]", serde_json::Value::from(shown))
    } else if path.is_empty() {
        write!(path, "{shown}")
    } else {
        write!(path, ".{shown}")
    };
}

/// Goes on to an item.
pub(super) fn push_index(path: &mut String, index: usize) {
    // Writing to a string cannot fail.
    let _ = write!(path, "[{index}]");
}

#[cfg(test)]
mod tests {
    use super::of_key;

    #[test]
    fn a_key_that_is_no_word_is_told_apart_from_the_path() {
        assert_eq!(of_key("files", "../x"), r#"files["../x"]"#);
        assert_eq!(of_key("files", "a.b"), r#"files["a.b"]"#);
        assert_eq!(of_key("files", ""), r#"files[""]"#);
        assert_eq!(of_key("files", "say \"hi\"\0"), r#"files["say \"hi\"\u0000"]"#);
        assert_eq!(of_key("env", "PATH"), "env.PATH");
        assert_eq!(of_key("", "code"), "code");
        assert!(of_key("env", &"k".repeat(1 << 20)).len() < 300);
    }
}
