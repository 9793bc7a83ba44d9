//! Bodies in the right shape, with anything in them.

use std::collections::BTreeSet;
use std::time::Duration;

use api_service::domain::credentials::Username;
use api_service::domain::field_error::FieldError;
use api_service::domain::ids::ExecutionId;
use api_service::domain::language::{LanguageFilter, LanguageName, Offer};
use api_service::domain::run::RunRules;
use api_service::http::rest::api_keys::json::ApiKeyBody;
use api_service::http::rest::contexts::json::ContextBody;
use api_service::http::rest::executions::run_json::RunBody;
use api_service::http::rest::fields::page::PageQuery;
use api_service::http::rest::sessions::json::SessionBody;
use api_service::http::rest::sessions::query;
use api_service::http::rest::users::json::{OwnPasswordBody, PasswordBody};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn rules() -> RunRules {
    RunRules {
        default_timeout: Duration::from_secs(30),
        max_timeout: Duration::from_secs(300),
        languages: LanguageFilter::default(),
    }
}

fn offer() -> Offer {
    let mut offer = Offer::default();
    for name in ["python", "c"] {
        offer.add(&LanguageName::parse(name).unwrap(), &[]);
    }
    offer
}

/// Any JSON, not deep.
fn anything() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn one_of(values: Vec<Value>) -> impl Strategy<Value = Value> + Clone {
    prop_oneof![4 => prop::sample::select(values), 1 => anything()]
}

fn texts() -> impl Strategy<Value = Value> {
    let map = btree_map("[A-Za-z_0-9=./]{0,12}", any::<String>(), 0..5);
    prop_oneof![map.prop_map(|map| json!(map)), anything()]
}

/// A run's or a session's body, often nearly right.
fn body() -> impl Strategy<Value = Map<String, Value>> {
    let language = one_of(vec![json!("python"), json!("c"), json!("node")]);
    let number =
        one_of(vec![json!(1), json!(0), json!(-1), json!(300), json!(1e300), json!(0.0001)]);
    let code = one_of(vec![json!("print(1)"), json!(" "), json!("a\u{0}")]);
    let session = one_of(vec![Value::Null, json!("ses_0"), json!("ses_"), json!("exe_0")]);
    let stdin = one_of(vec![json!("x"), json!({"base64": "eA=="}), json!({"base64": "eA"})]);
    let limits =
        btree_map("memory_bytes|processes|inodes|cpu_ms|open_files|x", number.clone(), 0..4);
    let context = one_of(vec![Value::Null, json!("ctx_0"), json!("ctx_"), json!("ses_0")]);
    let fields =
        (language, number, code, session, context, stdin, limits, texts(), texts(), anything());
    (fields, any::<u32>()).prop_map(|(fields, present)| {
        let (language, number, code, session, context, stdin, limits, env, files, other) = fields;
        let all = [
            ("language", language),
            ("code", code),
            ("timeout", number.clone()),
            ("ttl", number.clone()),
            ("idle", number),
            ("auto_resume", other.clone()),
            ("session_id", session),
            ("context_id", context),
            ("stdin", stdin),
            ("limits", json!(limits)),
            ("env", env),
            ("files", files),
            ("metadata", other.clone()),
            ("args", other),
        ];
        let present = |index: usize| index < 2 || present & (1 << index) != 0;
        let chosen = all.into_iter().enumerate().filter(|(index, _)| present(*index));
        chosen.map(|(_, (name, value))| (name.to_owned(), value)).collect()
    })
}

const FIELDS: [&str; 11] = [
    "code",
    "language",
    "timeout",
    "session_id",
    "context_id",
    "stdin",
    "args",
    "env",
    "files",
    "limits",
    "compiler_flags",
];

fn named(errors: &[FieldError], fields: &[&str]) -> bool {
    let field = |loc: &str| loc.split(['.', '[']).next().unwrap_or_default().to_owned();
    !errors.is_empty() && errors.iter().all(|error| fields.contains(&&*field(&error.loc)))
}

proptest! {
    #[test]
    fn a_run_that_is_accepted_keeps_to_the_rules(mut body in body()) {
        for name in ["ttl", "idle", "auto_resume", "metadata"] {
            body.remove(name);
        }
        let Ok(body) = serde_json::from_value::<RunBody>(Value::Object(body)) else { return Ok(()) };
        match body.parse(&rules(), Some(&offer())) {
            Ok(run) => {
                match (&run.language, &run.session, &run.context) {
                    (Some(language), ..) => prop_assert!(offer().knows(language)),
                    (None, session, context) => prop_assert!(session.is_some() && context.is_some()),
                }
                prop_assert!(run.context.is_none() || run.session.is_some());
                prop_assert!(!run.code.trim().is_empty() && !run.code.contains('\0'));
                let wall = run.limits.wall.expect("a run has a limit");
                prop_assert!(wall >= Duration::from_millis(1) && wall <= rules().max_timeout);
                prop_assert!(run.limits.memory_bytes != Some(0) && run.limits.processes != Some(0));
                let sane = run.env.iter().all(|(name, value)| {
                    !name.contains(['=', '\0']) && !name.is_empty() && !value.contains('\0')
                });
                prop_assert!(sane, "{:?}", run.env);
                prop_assert!(run.args.iter().all(|arg| !arg.contains('\0')));
            }
            Err(errors) => prop_assert!(named(&errors, &FIELDS), "{errors:?}"),
        }
    }

    #[test]
    fn a_session_that_is_accepted_keeps_to_the_rules(mut body in body()) {
        for name in ["code", "timeout", "session_id", "context_id", "stdin", "args"] {
            body.remove(name);
        }
        let body = serde_json::from_value::<SessionBody>(Value::Object(body));
        let Ok(body) = body else { return Ok(()) };
        match body.parse(Some(&offer())) {
            Ok(new) => {
                let seconds = new.ttl.as_secs();
                prop_assert!((1..=86_400).contains(&seconds) && new.ttl.subsec_nanos() == 0);
                let idle = new.idle.is_none_or(|idle| (1..=86_400).contains(&idle.as_secs()));
                prop_assert!(idle, "{:?}", new.idle);
                let paths = new.files.iter().map(|file| file.path.as_str()).collect::<BTreeSet<_>>();
                prop_assert_eq!(paths.len(), new.files.len());
                prop_assert!(new.metadata.len() <= 16 << 10);
                prop_assert!(serde_json::from_str::<Map<String, Value>>(&new.metadata).is_ok());
            }
            Err(errors) => {
                let fields =
                    ["language", "ttl", "idle", "env", "files", "limits", "metadata", "network"];
                prop_assert!(named(&errors, &fields), "{errors:?}");
            }
        }
    }

    #[test]
    fn shapes_never_panic(value in anything()) {
        let _ = serde_json::from_value::<RunBody>(value.clone()).map(|body| body.parse(&rules(), Some(&offer())));
        let _ = serde_json::from_value::<SessionBody>(value.clone()).map(|body| body.parse(Some(&offer())));
        let _ = serde_json::from_value::<ApiKeyBody>(value).map(ApiKeyBody::parse);
    }

    #[test]
    fn bytes_come_out_of_base64_as_they_went_in(bytes in vec(any::<u8>(), 0..200), other in any::<String>()) {
        let body = |text: &str| -> RunBody {
            let stdin = json!({"base64": text});
            let body = json!({"code": "x", "language": "c", "stdin": stdin, "files": {"a": stdin}});
            serde_json::from_value(body).unwrap()
        };
        let run = body(&STANDARD.encode(&bytes)).parse(&rules(), None).unwrap();
        prop_assert_eq!(&run.stdin, &bytes);
        prop_assert_eq!(&run.files[0].content, &bytes);
        match body(&other).parse(&rules(), None) {
            Ok(run) => prop_assert_eq!(STANDARD.encode(run.stdin), other),
            Err(errors) => prop_assert!(named(&errors, &["stdin", "files"])),
        }
    }

    #[test]
    fn pages_have_bounds_and_cursors_are_ids(limit in any::<u32>(), cursor in "(exe|ses)_[a-z0-9]{0,80}|.{0,20}") {
        let query = PageQuery { limit: Some(limit.to_string()), cursor: Some(cursor.clone()) };
        match query.parse(ExecutionId::parse) {
            Ok(page) => {
                prop_assert!((1..=250).contains(&page.limit));
                prop_assert_eq!(page.after.unwrap().to_string(), cursor);
            }
            Err(errors) => prop_assert!(named(&errors, &["limit", "cursor"])),
        }
    }

    #[test]
    fn a_list_of_sessions_takes_what_it_says_and_names_what_it_does_not(
        parameters in vec(
            (
                "limit|cursor|status|metadata\\.[a-z.]{0,3}|metadata\\.[a-z]{120,140}|.{0,12}",
                "[0-9]{1,3}|ses_[0-9a-f]{1,70}|active|paused|lost|.{0,20}|x{1000,1100}",
            ),
            0..12,
        ),
    ) {
        match query::parse(parameters.clone()) {
            Ok((page, filter)) => {
                prop_assert!((1..=250).contains(&page.limit));
                prop_assert!(filter.metadata.len() <= 8);
                let wishes = parameters.iter().filter(|(name, _)| name.starts_with("metadata."));
                let wishes = wishes.map(|(name, value)| (name["metadata.".len()..].to_owned(), value.clone()));
                prop_assert_eq!(wishes.collect::<Vec<_>>(), filter.metadata.clone());
                let bounded = filter.metadata.iter().all(|(key, value)| {
                    (1..=128).contains(&key.len()) && value.len() <= 1024
                });
                prop_assert!(bounded);
            }
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }

    #[test]
    fn a_context_that_is_accepted_begins_in_the_workspace(
        language in "python|c|node",
        cwd in prop::option::of("[./a]{0,8}|.{0,20}"),
        env in texts(),
    ) {
        let body = json!({"language": language, "cwd": cwd, "env": env});
        let Ok(body) = serde_json::from_value::<ContextBody>(body) else { return Ok(()) };
        match body.parse(Some(&offer())) {
            Ok(new) => {
                prop_assert!(offer().knows(&new.language));
                let inside = new.directory.iter().all(|path| {
                    path.as_str().split('/').all(|part| !["", ".", ".."].contains(&part))
                });
                prop_assert!(inside, "{:?}", new.directory);
            }
            Err(errors) => prop_assert!(named(&errors, &["language", "cwd", "env"]), "{errors:?}"),
        }
    }

    #[test]
    fn a_key_that_is_accepted_has_a_name_and_scopes(
        name in any::<String>(),
        scopes in vec("run|sessions|read|keys|admin|x", 0..7),
        expires_at in prop::option::of("20[0-9]{2}-01-31T12:00:00Z|.{0,30}"),
    ) {
        let body = json!({"name": name, "scopes": scopes, "expires_at": expires_at});
        match serde_json::from_value::<ApiKeyBody>(body).unwrap().parse() {
            Ok(new) => {
                prop_assert!((1..=100).contains(&new.name.chars().count()));
                prop_assert!(!new.name.chars().any(char::is_control));
                prop_assert_eq!(new.scopes.len(), scopes.len());
                prop_assert!(new.expires_at.is_none_or(|moment| !moment.has_passed()));
            }
            Err(errors) => prop_assert!(named(&errors, &["name", "scopes", "expires_at"])),
        }
    }

    #[test]
    fn a_password_that_is_accepted_keeps_to_the_rules(
        present in any::<String>(),
        new in "[a-zA-Z]{0,12}|.{0,300}",
        lifted in prop::option::of(anything()),
    ) {
        let user = Username::parse("somebody").unwrap();
        let mut own = json!({"password": present, "new_password": new});
        let mut reset = json!({"password": new});
        if let Some(value) = &lifted {
            own["is_admin"] = value.clone();
            reset["is_admin"] = value.clone();
        }
        let own = serde_json::from_value::<OwnPasswordBody>(own);
        let reset = serde_json::from_value::<PasswordBody>(reset);
        prop_assert_eq!((own.is_ok(), reset.is_ok()), (lifted.is_none(), lifted.is_none()));
        let (Ok(own), Ok(reset)) = (own, reset) else { return Ok(()) };
        let good = new.chars().count() >= 8
            && new.chars().count() <= 256
            && !new.contains('\0')
            && !new.eq_ignore_ascii_case("somebody");
        match reset.parse(&user) {
            Ok(parsed) => prop_assert!(good && parsed.expose() == new),
            Err(errors) => prop_assert!(!good && named(&errors, &["password"])),
        }
        match own.parse(&user) {
            Ok((kept, parsed)) => {
                prop_assert!(good && (1..=256).contains(&kept.chars().count()));
                prop_assert_eq!((kept, parsed.expose()), (present, &*new));
            }
            Err(errors) => prop_assert!(named(&errors, &["password", "new_password"])),
        }
    }
}
