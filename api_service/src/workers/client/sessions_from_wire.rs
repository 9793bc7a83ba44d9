//! Sessions and contexts, from the wire to the domain.

use std::time::Duration;

use proto::execution_v1 as wire;

use super::{Error, from_wire, network};
use crate::domain::context::{Context, ContextState};
use crate::domain::ids::{ContextId, SessionId};
use crate::domain::language::LanguageName;
use crate::domain::session::{LiveSession, SessionUsage};
use crate::domain::timestamp::Timestamp;

pub(super) fn session(session: wire::Session) -> Result<LiveSession, Error> {
    let wire::Session {
        session_id,
        created_at_ms,
        expires_at_ms,
        busy,
        contexts,
        processes,
        paused,
        auto_resume,
        idle_seconds,
        limits,
        usage,
        network,
    } = session;
    Ok(LiveSession {
        id: SessionId::parse(&session_id).ok_or(Error::Malformed("a session id"))?,
        created_at: Timestamp::from_millis(created_at_ms),
        expires_at: Timestamp::from_millis(expires_at_ms),
        busy,
        paused,
        auto_resume,
        idle: Duration::from_secs(u64::from(idle_seconds)),
        limits: from_wire::limits(limits.unwrap_or_default()),
        contexts: contexts.into_iter().map(context).collect::<Result<_, _>>()?,
        processes,
        usage: usage.map(|wire::SessionUsage { cpu_us, memory_bytes, disk_bytes }| SessionUsage {
            cpu: Duration::from_micros(cpu_us),
            memory_bytes,
            disk_bytes,
        }),
        network: network.map(network::from_wire),
    })
}

pub(super) fn context(context: wire::Context) -> Result<Context, Error> {
    let wire::Context { context_id, language, busy: _, state, working_directory } = context;
    Ok(Context {
        id: ContextId::parse(&context_id).ok_or(Error::Malformed("a context id"))?,
        language: LanguageName::parse(&language).ok_or(Error::Malformed("a language"))?,
        state: match wire::ContextState::try_from(state) {
            Ok(wire::ContextState::New) => ContextState::New,
            Ok(wire::ContextState::Idle) => ContextState::Idle,
            Ok(wire::ContextState::Busy) => ContextState::Busy,
            Ok(wire::ContextState::Lost) => ContextState::Lost,
            Ok(wire::ContextState::Unspecified) | Err(_) => {
                return Err(Error::Malformed("a context's state"));
            }
        },
        directory: working_directory,
    })
}
