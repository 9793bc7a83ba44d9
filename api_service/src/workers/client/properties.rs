//! The worker runs hostile code: what it says is read as if that code had said it.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use proto::execution_v1 as wire;
use tonic::{Code, Status};

use super::{Error, from_wire, sessions_from_wire};
use crate::domain::artifact::{Change, OmittedReason};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    // Tags and lengths of protobuf are small: most messages have something in them this way.
    vec(prop_oneof![0..40_u8, any::<u8>()], 0..120)
}

/// A number at the edge of what fits.
fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), Just(i64::MAX as u64), any::<u64>()]
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in bytes()) {
        let bytes = bytes.as_slice();
        let _ = wire::ExecutionEvent::decode(bytes).map(from_wire::event);
        let _ = wire::Session::decode(bytes).map(sessions_from_wire::session);
        let _ = wire::Capabilities::decode(bytes).map(from_wire::capabilities);
    }

    #[test]
    fn any_outcome_is_read(status in any::<i32>(), number in edge(), text in any::<String>()) {
        let outcome = wire::Outcome {
            status,
            exit_code: Some(status),
            signal: Some(text.clone()),
            duration_us: number,
            stdout: Some(wire::StreamTotals {
                bytes: number,
                truncated: true,
                stored: true,
                stored_bytes: number,
                stored_until_ms: i64::MAX,
            }),
            phases: Some(wire::Phases { queue_us: number, run_us: number, ..wire::Phases::default() }),
            diagnostic: Some(wire::Diagnostic { message: text, ..wire::Diagnostic::default() }),
            ..wire::Outcome::default()
        };
        let event = wire::execution_event::Event::Outcome(outcome);
        let read = from_wire::event(wire::ExecutionEvent { event: Some(event) });
        prop_assert_eq!(read.is_ok(), (1..=9).contains(&status), "{:?}", read);
    }

    /// Paths are user code's; reasons and kinds of change are those of the contract.
    #[test]
    fn files_are_read_by_their_reasons(
        path in vec(any::<u8>(), 0..40),
        reason in "too_large|unreadable|[a-z_]{0,9}",
        change in "created|removed|[a-z]{0,9}",
        number in edge(),
    ) {
        let omitted = vec![wire::OmittedFile { path: path.clone().into(), size: number, reason: reason.clone() }];
        let artifacts = vec![wire::Artifact { path: path.clone().into(), size: number, until_ms: i64::MIN }];
        let files = vec![wire::ChangedFile { path: path.into(), change: change.clone(), size: None }];
        let outcome = wire::Outcome {
            status: 1,
            collected: Some(wire::Collected { artifacts, omitted, truncated: true }),
            changes: Some(wire::Changes { files, truncated: false }),
            ..wire::Outcome::default()
        };
        let event = wire::execution_event::Event::Outcome(outcome);
        let read = from_wire::event(wire::ExecutionEvent { event: Some(event) });
        let known = OmittedReason::parse(&reason).is_some() && Change::parse(&change).is_some();
        prop_assert_eq!(read.is_ok(), known, "{:?}", read);
    }

    #[test]
    fn a_session_is_read_by_its_id_only(id in "ses_[0-9a-f]{1,64}|.{0,80}", at in any::<i64>()) {
        let session = wire::Session {
            session_id: id.clone(),
            created_at_ms: at,
            expires_at_ms: at,
            ..wire::Session::default()
        };
        if let Ok(session) = sessions_from_wire::session(session) {
            prop_assert_eq!(session.id.as_str(), id);
        }
    }

    #[test]
    fn any_refusal_has_a_meaning(code in 0..20_i32, reason in "[a-z_]{0,20}", after in "[0-9]{0,30}") {
        let mut status = Status::new(Code::from_i32(code), "why");
        for (key, value) in [
            (proto::wire::ERROR_REASON, &reason),
            (proto::wire::RETRY_AFTER, &after),
            (proto::wire::QUEUE_LENGTH, &after),
        ] {
            if let Ok(value) = value.parse() {
                status.metadata_mut().insert(key, value);
            }
        }
        prop_assert!(!Error::from(status).to_string().is_empty());
    }
}
