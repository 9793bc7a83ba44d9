//! Whether a session's metadata are those that somebody looks for.

use serde_json::Value;

use crate::domain::session_filter::SessionFilter;

/// Whether `metadata`, a JSON object, has all that `filter` wishes.
pub(super) fn is_wanted(filter: &SessionFilter, metadata: &str) -> bool {
    if filter.metadata.is_empty() {
        return true;
    }
    let Ok(Value::Object(found)) = serde_json::from_str::<Value>(metadata) else {
        return false;
    };
    filter.metadata.iter().all(|(key, wanted)| match found.get(key) {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Number(number)) => number.to_string() == *wanted,
        Some(Value::Bool(true)) => wanted == "true",
        Some(Value::Bool(false)) => wanted == "false",
        Some(Value::Null) => wanted == "null",
        Some(Value::Array(_) | Value::Object(_)) | None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::is_wanted;
    use crate::domain::session_filter::SessionFilter;

    #[test]
    fn every_wish_must_be_fulfilled() {
        let wanted = |wishes: &[(&str, &str)]| {
            let metadata = wishes.iter().map(|(key, value)| ((*key).into(), (*value).into()));
            let filter = SessionFilter { metadata: metadata.collect(), status: None };
            is_wanted(&filter, r#"{"a": "1", "b": 2, "c": true, "d": null, "e": {"a": "1"}}"#)
        };
        assert!(wanted(&[]) && wanted(&[("a", "1"), ("b", "2"), ("c", "true"), ("d", "null")]));
        for no in [("a", "2"), ("x", ""), ("e", r#"{"a":"1"}"#), ("e.a", "1"), ("b", "2.0")] {
            assert!(!wanted(&[("a", "1"), no]), "{no:?}");
        }
    }
}
