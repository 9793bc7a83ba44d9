//! Sessions and contexts, from wire types to ours.

use std::collections::HashMap;
use std::time::Duration;

use proto::execution_v1 as wire;
use tonic::Status;

use super::status::invalid;
use super::{from_wire, network_from_wire};
use crate::execution::limits::RequestedLimits;
use crate::session::{DEFAULT_CONTEXT, NewContext, NewSession};

/// A new session.
pub fn new_session(
    message: wire::CreateSessionRequest,
) -> Result<(NewSession, RequestedLimits), Status> {
    let wire::CreateSessionRequest {
        session_id,
        owner,
        language: language_name,
        ttl_seconds,
        env,
        limits,
        idle_seconds,
        auto_resume,
        files,
        network,
    } = message;
    let new = NewSession {
        id: from_wire::id("session_id", session_id)?,
        owner: from_wire::id("owner", owner)?,
        language: match language_name.as_str() {
            "" => None,
            name => Some(from_wire::language(name)?),
        },
        env: from_wire::environment(env)?,
        ttl: ttl(ttl_seconds)?,
        idle: (idle_seconds > 0).then(|| Duration::from_secs(u64::from(idle_seconds))),
        auto_resume,
        network: network.map(network_from_wire::policy).transpose()?,
        files: from_wire::files(files)?,
    };
    Ok((new, from_wire::requested_limits(limits.unwrap_or_default())))
}

/// How long a session lives: a second to a week.
pub fn ttl(seconds: u32) -> Result<Duration, Status> {
    const MAX_TTL: u32 = 7 * 86_400;
    if !(1..=MAX_TTL).contains(&seconds) {
        return Err(invalid("ttl", "must be between 1 and 604800 seconds"));
    }
    Ok(Duration::from_secs(u64::from(seconds)))
}

/// A new context.
pub fn new_context(
    context_id: String,
    language_name: &str,
    env: HashMap<String, String>,
    working_directory: &str,
) -> Result<NewContext, Status> {
    Ok(NewContext {
        id: self::context_id(context_id)?,
        language: from_wire::language(language_name)?,
        env: from_wire::environment(env)?,
        directory: from_wire::path("cwd", working_directory)?,
    })
}

/// The name of a new context. Those of default ones are ours.
fn context_id(text: String) -> Result<String, Status> {
    let id = from_wire::id("context_id", text)?;
    if id.starts_with(DEFAULT_CONTEXT) {
        return Err(invalid("context_id", "must not be that of a default context"));
    }
    Ok(id)
}
