//! What must hold for any body.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

use super::strict_json::check;
use crate::http::failure::Failure;

/// JSON that is neither deep nor ambiguous.
fn plain() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_accepted_is_json_to_others_too(bytes in vec(any::<u8>(), 0..200)) {
        if check(&bytes).is_ok() {
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }

    #[test]
    fn nearly_json_is_judged_as_others_judge_it(text in "[\\[\\]{}\":, 0-9a-eEtrufalsn\\\\.+-]{0,40}") {
        let others = serde_json::from_str::<Value>(&text).is_ok();
        match check(text.as_bytes()) {
            Ok(()) => prop_assert!(others, "{text}"),
            // Others take the last of two, or recurse.
            Err(Failure::DuplicateKey(_) | Failure::TooDeep(_)) => {}
            Err(_) => prop_assert!(!others, "{text}"),
        }
    }

    #[test]
    fn plain_json_is_accepted_and_a_broken_end_is_not(value in plain()) {
        let text = value.to_string();
        prop_assert!(check(text.as_bytes()).is_ok(), "{text}");
        if text.ends_with(['}', ']', '"']) {
            prop_assert!(check(&text.as_bytes()[..text.len() - 1]).is_err());
        }
        let more = text.clone() + &text + "x";
        prop_assert!(check(more.as_bytes()).is_err());
    }

    #[test]
    fn a_key_that_stands_twice_is_found_wherever(value in plain(), key in any::<String>(), depth in 0..20_usize) {
        let key = Value::from(key);
        let twice = format!("{{{key}: {value}, {key}: 1}}");
        let text = "[".repeat(depth) + &twice + &"]".repeat(depth);
        prop_assert!(matches!(check(text.as_bytes()), Err(Failure::DuplicateKey(_))), "{text}");
    }

    #[test]
    fn depth_is_found_whatever_it_is_made_of(steps in vec(any::<bool>(), 33..200)) {
        let open: String = steps.iter().map(|array| if *array { "[" } else { "{\"k\":" }).collect();
        prop_assert!(matches!(check(open.as_bytes()), Err(Failure::TooDeep(_))));
    }
}
