//! The sessions of the fake worker: it remembers what it is told, and nothing runs in them.

use proto::execution_v1 as wire;
use proto::execution_v1::sessions_server::Sessions;
use proto::wire::reason;
use tonic::{Code, Request, Response, Status};

use super::fake_network;
use super::fake_worker::FakeWorker;
use super::script::failed;

/// Contexts of one session, at most.
const MOST: usize = 16;

/// Whether a run is let into its session.
pub fn admit_run(session: &wire::Session, run: &wire::ExecuteRequest) -> Result<(), Status> {
    if session.paused && !session.auto_resume {
        return Err(failed(Code::FailedPrecondition, reason::SESSION_PAUSED, "paused"));
    }
    if run.context_id.is_empty() {
        return Ok(());
    }
    let found = session.contexts.iter().find(|context| context.context_id == run.context_id);
    match found {
        None => Err(no_context()),
        Some(context) if context.language != run.language => {
            Err(failed(Code::FailedPrecondition, reason::LANGUAGE_MISMATCH, "another"))
        }
        Some(_) => Ok(()),
    }
}

fn no_context() -> Status {
    failed(Code::NotFound, reason::CONTEXT_NOT_FOUND, "no such context")
}

fn context(id: String, language: String, working_directory: String) -> wire::Context {
    let state = wire::ContextState::New.into();
    wire::Context { context_id: id, language, busy: false, state, working_directory }
}

impl FakeWorker {
    /// Changes a session of an owner, and gives what it is then.
    pub(super) fn change(
        &self,
        (id, owner): (&str, &str),
        change: impl FnOnce(&mut wire::Session) -> Result<(), Status>,
    ) -> Result<Response<wire::Session>, Status> {
        let mut session = self.session(id, owner)?;
        change(&mut session)?;
        self.seen().sessions.insert(id.to_owned(), (owner.to_owned(), session.clone()));
        Ok(Response::new(session))
    }
}

#[tonic::async_trait]
impl Sessions for FakeWorker {
    async fn create_session(
        &self,
        request: Request<wire::CreateSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        self.admit(&request)?;
        let new = request.into_inner();
        fake_network::admit(new.network.as_ref())?;
        if new.env.contains_key("FULL") {
            return Err(failed(Code::ResourceExhausted, reason::TOO_MANY_SESSIONS, "enough"));
        }
        let first = (!new.language.is_empty()).then(|| {
            context(format!("ctx_default{}", new.language), new.language.clone(), String::new())
        });
        let session = wire::Session {
            session_id: new.session_id.clone(),
            created_at_ms: 1_700_000_000_000,
            expires_at_ms: if new.ttl_seconds == 1 { 1 } else { 4_000_000_000_000 },
            busy: false,
            contexts: first.into_iter().collect(),
            processes: 0,
            paused: false,
            auto_resume: new.auto_resume,
            idle_seconds: if new.idle_seconds == 0 { 1800 } else { new.idle_seconds },
            limits: new.limits,
            usage: None,
            network: new.network,
        };
        let mut seen = self.seen();
        seen.session_files.extend(new.files);
        seen.sessions.insert(new.session_id, (new.owner, session.clone()));
        Ok(Response::new(session))
    }

    async fn get_session(
        &self,
        request: Request<wire::GetSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        self.admit(&request)?;
        let wire::GetSessionRequest { session_id, owner } = request.into_inner();
        let usage = wire::SessionUsage { cpu_us: 52_900, memory_bytes: 1024, disk_bytes: 4096 };
        let session = self.session(&session_id, &owner)?;
        Ok(Response::new(wire::Session { usage: Some(usage), ..session }))
    }

    async fn list_sessions(
        &self,
        request: Request<wire::ListSessionsRequest>,
    ) -> Result<Response<wire::ListSessionsResponse>, Status> {
        self.admit(&request)?;
        let wire::ListSessionsRequest { owner } = request.into_inner();
        let seen = self.seen();
        let of_owner = seen.sessions.values().filter(|(of, _)| *of == owner);
        let sessions = of_owner.map(|(_, session)| session.clone()).collect();
        Ok(Response::new(wire::ListSessionsResponse { sessions }))
    }

    async fn end_session(
        &self,
        request: Request<wire::EndSessionRequest>,
    ) -> Result<Response<wire::EndSessionResponse>, Status> {
        self.admit(&request)?;
        let wire::EndSessionRequest { session_id, owner } = request.into_inner();
        self.session(&session_id, &owner)?;
        self.seen().sessions.remove(&session_id);
        Ok(Response::new(wire::EndSessionResponse {}))
    }

    async fn extend_session(
        &self,
        request: Request<wire::ExtendSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        self.admit(&request)?;
        let wire::ExtendSessionRequest { session_id, owner, ttl_seconds } = request.into_inner();
        self.change((&session_id, &owner), |session| {
            session.expires_at_ms = 4_000_000_000_000 + 1000 * i64::from(ttl_seconds);
            Ok(())
        })
    }

    async fn pause_session(
        &self,
        request: Request<wire::PauseSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        self.admit(&request)?;
        let wire::PauseSessionRequest { session_id, owner } = request.into_inner();
        if !self.seen().running.is_empty() {
            return Err(failed(Code::FailedPrecondition, reason::SESSION_BUSY, "busy"));
        }
        self.change((&session_id, &owner), |session| {
            session.paused = true;
            Ok(())
        })
    }

    async fn resume_session(
        &self,
        request: Request<wire::ResumeSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        self.admit(&request)?;
        let wire::ResumeSessionRequest { session_id, owner } = request.into_inner();
        self.change((&session_id, &owner), |session| {
            session.paused = false;
            Ok(())
        })
    }

    async fn create_context(
        &self,
        request: Request<wire::CreateContextRequest>,
    ) -> Result<Response<wire::Context>, Status> {
        self.admit(&request)?;
        let new = request.into_inner();
        let made = context(new.context_id, new.language, new.working_directory);
        self.change((&new.session_id, &new.owner), |session| {
            if session.contexts.len() == MOST {
                return Err(failed(Code::ResourceExhausted, reason::SESSION_FULL, "it is full"));
            }
            session.contexts.push(made.clone());
            Ok(())
        })?;
        Ok(Response::new(made))
    }

    async fn interrupt_contexts(
        &self,
        request: Request<wire::InterruptContextsRequest>,
    ) -> Result<Response<wire::InterruptContextsResponse>, Status> {
        self.admit(&request)?;
        let wire::InterruptContextsRequest { session_id, owner, context_id } = request.into_inner();
        let session = self.session(&session_id, &owner)?;
        let has = |id: &str| session.contexts.iter().any(|context| context.context_id == id);
        if !context_id.is_empty() && !has(&context_id) {
            return Err(no_context());
        }
        let seen = self.seen();
        let running = seen.running.values().filter(|(of, _)| *of == owner);
        let interrupted = running.inspect(|(_, stop)| stop.notify_one()).count() > 0;
        Ok(Response::new(wire::InterruptContextsResponse { interrupted }))
    }

    async fn restart_contexts(
        &self,
        request: Request<wire::RestartContextsRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        self.admit(&request)?;
        let wire::RestartContextsRequest { session_id, owner, context_id } = request.into_inner();
        self.change((&session_id, &owner), |session| {
            let known = session.contexts.iter().any(|context| context.context_id == context_id);
            if context_id.is_empty() || known { Ok(()) } else { Err(no_context()) }
        })
    }

    async fn delete_context(
        &self,
        request: Request<wire::DeleteContextRequest>,
    ) -> Result<Response<wire::DeleteContextResponse>, Status> {
        self.admit(&request)?;
        let wire::DeleteContextRequest { session_id, owner, context_id } = request.into_inner();
        self.change((&session_id, &owner), |session| {
            let before = session.contexts.len();
            session.contexts.retain(|context| context.context_id != context_id);
            if session.contexts.len() < before { Ok(()) } else { Err(no_context()) }
        })?;
        Ok(Response::new(wire::DeleteContextResponse {}))
    }
}
