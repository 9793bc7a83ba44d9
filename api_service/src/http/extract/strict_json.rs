//! Refuses JSON that two readers could understand differently, or that is built to hurt one:
//! duplicate keys, deep nesting, and values by the million. Runs over the bytes before anything is
//! made of them.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::field_path;
use crate::domain::field_error::FieldError;
use crate::http::failure::Failure;

/// Deepest nesting of objects and arrays.
const MAX_DEPTH: usize = 32;
/// Most values of one body. Its length is bounded, but each `""` of it becomes some 50 bytes in memory,
/// and each key as much again. A request that keeps to all other rules has at most 11,000: those of
/// 1000 files, and 16 KiB of metadata that is nothing but digits and commas.
const MAX_VALUES: usize = 16_384;
/// Longest part of a key that an error repeats, in characters.
const SHOWN_KEY: usize = 255;

/// Nothing, when the bytes are one JSON value without duplicate keys, neither nested too deeply nor
/// made of too many.
pub(super) fn check(bytes: &[u8]) -> Result<(), Failure> {
    let walk = Walk::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let done = Here { walk: &walk, depth: 0 }.deserialize(&mut json).and_then(|()| json.end());
    match (done, walk.finding.into_inner()) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(finding)) => Err(finding),
        (Err(error), None) => Err(Failure::NotJson(why_not_json(bytes, &error))),
    }
}

/// Why that is no JSON, in words that say what to do.
fn why_not_json(bytes: &[u8], error: &serde_json::Error) -> String {
    let place = format!("at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    if bytes.starts_with(b"\xef\xbb\xbf") {
        "it begins with a byte order mark; send UTF-8 without one".to_owned()
    } else if std::str::from_utf8(bytes).is_err() {
        "it is not UTF-8".to_owned()
    } else if words.contains("surrogate") || words.contains("end of hex escape") {
        format!("a \\u escape {place} is half of a surrogate pair; send whole characters")
    } else if bytes.trim_ascii().is_empty() {
        "it is empty".to_owned()
    } else if error.is_eof() {
        format!("it ends {place}, before its last object, array or string is closed")
    } else {
        format!("there is something {place} that JSON does not allow there")
    }
}

#[derive(Default)]
struct Walk {
    path: RefCell<Vec<Step>>,
    values: Cell<usize>,
    finding: RefCell<Option<Failure>>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Walk {
    fn location(&self) -> String {
        let mut text = String::new();
        for step in self.path.borrow().iter() {
            match step {
                Step::Key(key) => field_path::push_key(&mut text, key),
                Step::Index(index) => field_path::push_index(&mut text, *index),
            }
        }
        text
    }

    fn found<E: Error>(&self, error: impl FnOnce(FieldError) -> Failure, msg: &str) -> E {
        let field = FieldError::new(self.location(), msg);
        self.finding.replace(Some(error(field)));
        E::custom(msg)
    }
}

/// One place in the document.
#[derive(Clone, Copy)]
struct Here<'a> {
    walk: &'a Walk,
    depth: usize,
}

impl<'a> Here<'a> {
    fn deeper<E: Error>(self) -> Result<Here<'a>, E> {
        if self.depth == MAX_DEPTH {
            let msg = format!("must not be nested deeper than {MAX_DEPTH}");
            return Err(self.walk.found(Failure::TooDeep, &msg));
        }
        Ok(Here { walk: self.walk, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Here<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let values = self.walk.values.get() + 1;
        if values > MAX_VALUES {
            let msg = format!("is more than a body may hold: {MAX_VALUES} values");
            return Err(self.walk.found(Failure::TooManyValues, &msg));
        }
        self.walk.values.set(values);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Here<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        for index in 0.. {
            self.walk.path.borrow_mut().push(Step::Index(index));
            if seq.next_element_seed(inside)?.is_none() {
                break;
            }
            self.walk.path.borrow_mut().pop();
        }
        self.walk.path.borrow_mut().pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let shown = key.chars().take(SHOWN_KEY).collect();
            self.walk.path.borrow_mut().push(Step::Key(shown));
            if !seen.insert(key) {
                let msg = "stands twice in one object; keep one of them";
                return Err(self.walk.found(Failure::DuplicateKey, msg));
            }
            map.next_value_seed(inside)?;
            self.walk.path.borrow_mut().pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::http::failure::Failure;

    #[test]
    fn plain_json_passes() {
        for text in ["{}", "[1, 2.5, -3, null, true, \"x\"]", "{\"a\": {\"b\": [{}]}}"] {
            assert!(check(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_duplicate_key_is_named_by_its_path() {
        let error = check(b"{\"a\": [0, {\"b\": 1, \"\\u0062\": 2}]}");
        let Err(Failure::DuplicateKey(field)) = error else { panic!("{error:?}") };
        assert_eq!(field.loc, "a[1].b");
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(check(nested(32).as_bytes()).is_ok());
        assert!(matches!(check(nested(33).as_bytes()), Err(Failure::TooDeep(_))));
        assert!(matches!(check(nested(100_000).as_bytes()), Err(Failure::TooDeep(_))));
    }

    #[test]
    fn values_have_an_end_wherever_they_are() {
        let most = "[".to_owned() + &"0,".repeat(16_382) + "0]";
        assert!(check(most.as_bytes()).is_ok(), "the array is a value, too");
        let one_more = most.replace("0]", "0,0]");
        assert!(matches!(check(one_more.as_bytes()), Err(Failure::TooManyValues(_))));
        let keys: Vec<String> = (0..20_000).map(|number| format!("\"{number}\":0")).collect();
        let error = check(format!("{{\"a\":{{{}}}}}", keys.join(",")).as_bytes());
        let Err(Failure::TooManyValues(field)) = error else { panic!("{error:?}") };
        assert_eq!(field.loc, "a.16382");
    }

    #[test]
    fn what_is_not_one_json_value_is_told_so() {
        for text in ["", "{", "{} {}", "{\"a\" 1}", "\u{0}", "NaN"] {
            assert!(matches!(check(text.as_bytes()), Err(Failure::NotJson(_))), "{text:?}");
        }
    }
}
