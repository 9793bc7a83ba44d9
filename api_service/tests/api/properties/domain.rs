//! What the domain's parsers accept is what they say.

use api_service::domain::capture::Capture;
use api_service::domain::credentials::{NewPassword, Username};
use api_service::domain::idempotency::IdempotencyKey;
use api_service::domain::ids::{ApiKeyId, ContextId, ExecutionId, SessionId};
use api_service::domain::scope::Scope;
use api_service::domain::timestamp::Timestamp;
use api_service::domain::workspace::WorkspacePath;
use api_service::http::rest::fields::timestamp;
use proptest::prelude::*;
use time::OffsetDateTime;

/// Any text, and texts that are nearly what is wanted.
fn nearly(shape: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        shape,
        (shape, any::<char>()).prop_map(|(mut text, odd)| {
            let middle = text.floor_char_boundary(text.len() / 2);
            text.insert(middle, odd);
            text
        })
    ]
}

/// Pieces of one stream: where, and what.
fn pieces() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let offset = prop_oneof![0..200_u64, any::<u64>()];
    prop::collection::vec((offset, prop::collection::vec(any::<u8>(), 0..50)), 0..20)
}

proptest! {
    #[test]
    fn ids_are_their_prefix_and_letters(text in nearly("(ses|exe|key|ctx)_[0-9a-f]{1,70}")) {
        let parsed = [
            SessionId::parse(&text).map(|id| ("ses_", id.to_string())),
            ExecutionId::parse(&text).map(|id| ("exe_", id.to_string())),
            ApiKeyId::parse(&text).map(|id| ("key_", id.to_string())),
            ContextId::parse(&text).map(|id| ("ctx_", id.to_string())),
        ];
        prop_assert!(parsed.iter().flatten().count() <= 1);
        for (prefix, id) in parsed.into_iter().flatten() {
            prop_assert_eq!(&id, &text);
            prop_assert!(id.len() > prefix.len() && id.len() <= 68 && id.starts_with(prefix));
            prop_assert!(id[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn paths_stay_in_the_workspace(text in nearly("[./a]{0,20}")) {
        if let Ok(path) = WorkspacePath::parse(&text) {
            let inside = path.as_str().split('/').all(|part| !["", ".", ".."].contains(&part));
            prop_assert!(inside && !path.as_str().contains('\0'), "{path:?}");
            prop_assert_eq!(WorkspacePath::parse(path.as_str()), Ok(path));
        }
    }

    #[test]
    fn names_have_one_spelling(text in nearly("[A-Za-z0-9._+@-]{0,70}")) {
        if let Ok(name) = Username::parse(&text) {
            prop_assert!(name.as_str().is_ascii() && (2..=64).contains(&name.as_str().len()));
            prop_assert_eq!(Username::parse(&name.as_str().to_ascii_uppercase()), Ok(name));
        }
    }

    #[test]
    fn passwords_have_bounds(text in nearly(".{0,300}")) {
        if let Ok(password) = NewPassword::parse(text.clone(), None) {
            prop_assert!((8..=256).contains(&text.chars().count()) && !text.contains('\0'));
            prop_assert_eq!(format!("{password:?}"), "NewPassword(…)");
        }
    }

    #[test]
    fn idempotency_keys_can_be_sent_in_a_header(text in nearly("[ -~]{0,300}")) {
        if let Ok(key) = IdempotencyKey::parse(&text) {
            prop_assert_eq!(key.as_str(), &text);
            prop_assert!((1..=255).contains(&text.len()));
            prop_assert!(text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        }
    }

    #[test]
    fn scopes_are_known_by_their_exact_names(text in nearly("run|sessions|read|keys|admin")) {
        prop_assert_eq!(Scope::parse(&text).map(Scope::name), Scope::parse(&text).map(|_| &*text));
    }

    #[test]
    fn any_moment_can_be_shown(millis in any::<i64>(), span in any::<u64>()) {
        let moment = Timestamp::from_millis(millis);
        let span = std::time::Duration::from_millis(span);
        prop_assert!(moment.after(span) >= moment && moment.before(span) <= moment);
        for moment in [moment, moment.after(span), moment.before(span)] {
            let _ = (moment.seconds(), moment.has_passed(), OffsetDateTime::from(moment));
            let _ = timestamp::write(moment);
        }
    }

    #[test]
    fn a_moment_that_was_written_is_read_again(millis in -62_135_596_800_000_i64..253_402_300_799_999) {
        let moment = Timestamp::from_millis(millis);
        prop_assert_eq!(timestamp::read(&timestamp::write(moment)), Ok(moment));
    }

    #[test]
    fn a_text_that_is_no_moment_is_refused(
        text in nearly("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"),
    ) {
        if let Ok(moment) = timestamp::read(&text) {
            prop_assert_eq!(timestamp::read(&timestamp::write(moment)), Ok(moment));
        }
    }

    #[test]
    fn pieces_in_order_are_the_stream(cuts in prop::collection::vec(".{0,30}", 0..20)) {
        let mut capture = Capture::default();
        let mut offset = 0;
        for cut in &cuts {
            capture.absorb(offset, cut.as_bytes());
            offset += cut.len() as u64;
        }
        let captured = capture.finish(offset);
        prop_assert_eq!((captured.text, captured.replaced), (cuts.concat(), false));
    }

    #[test]
    fn pieces_in_any_order_are_some_text(pieces in pieces(), total in any::<u64>()) {
        let mut capture = Capture::default();
        let (mut given, count) = (0, pieces.len());
        for (offset, data) in pieces {
            given += data.len();
            capture.absorb(offset, &data);
        }
        let captured = capture.finish(total);
        // A byte that is not text becomes three; a gap has a line of its own.
        prop_assert!(captured.text.len() <= 3 * given + 64 * (count + 1));
    }
}
