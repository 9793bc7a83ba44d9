//! Calls about what is in a session: contexts, commands, files.

use proto::execution_v1 as wire;
use proto::execution_v1::processes_client::ProcessesClient;
use tonic::transport::Channel;

use super::caller::{Caller, Refusal};
use super::process::RunningProcess;
use super::request::OWNER;
use super::terminal::AttachedTerminal;
use super::within;

impl Caller {
    /// Moves the deadline of `session`: to so many seconds from now.
    pub async fn extend(
        &self,
        session: &wire::Session,
        ttl: u32,
    ) -> Result<wire::Session, Refusal> {
        let message = wire::ExtendSessionRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            ttl_seconds: ttl,
        };
        let mut client = self.sessions.clone();
        let answer = client.extend_session(self.request(message));
        let answer = within("an answer to ExtendSession", answer).await;
        answer.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    /// Makes one more context in `session`.
    pub async fn create_context(
        &self,
        session: &wire::Session,
        id: &str,
        language: &str,
    ) -> Result<wire::Context, Refusal> {
        let message = wire::CreateContextRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            context_id: String::from(id),
            language: String::from(language),
            ..wire::CreateContextRequest::default()
        };
        let mut client = self.sessions.clone();
        let answer = client.create_context(self.request(message));
        let answer = within("an answer to CreateContext", answer).await;
        answer.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    /// Starts `command` in `session`.
    pub async fn start_process(
        &self,
        session: &wire::Session,
        command: &[&str],
        open_stdin: bool,
    ) -> Result<RunningProcess, Refusal> {
        let wish = wire::StartProcessRequest { open_stdin, ..wire::StartProcessRequest::default() };
        self.start_process_with(session, command, wish).await
    }

    /// Starts `command` in `session`, with what else is in `wish`.
    pub async fn start_process_with(
        &self,
        session: &wire::Session,
        command: &[&str],
        wish: wire::StartProcessRequest,
    ) -> Result<RunningProcess, Refusal> {
        let message = wire::StartProcessRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            command: command.iter().map(|word| String::from(*word)).collect(),
            ..wish
        };
        let mut client = self.processes.clone();
        let answer = client.start_process(self.request(message));
        let answer = within("an answer to StartProcess", answer).await.map_err(Refusal::from)?;
        let process = answer.into_inner().process.unwrap();
        Ok(RunningProcess::new(self.clone(), &session.session_id, process.process_id))
    }

    /// What a process of `session` has said after event number `after`; waits for it.
    pub async fn read_process(
        &self,
        session_id: &str,
        process_id: u32,
        after: u64,
    ) -> Result<wire::ProcessEvents, Refusal> {
        let wanted = wire::EventsWanted { after, wait_ms: 60_000, ..Default::default() };
        let message = wire::ReadProcessRequest {
            session_id: String::from(session_id),
            owner: String::from(OWNER),
            process_id,
            wanted: Some(wanted),
        };
        let mut client = self.processes.clone();
        let answer = within("an answer to ReadProcess", client.read_process(self.request(message)));
        answer.await.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    /// Kills a process of `session`.
    pub async fn kill_process(
        &self,
        session: &wire::Session,
        process_id: u32,
    ) -> Result<wire::Process, Refusal> {
        let message = wire::KillProcessRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            process_id,
        };
        let mut client = self.processes.clone();
        let answer = within("an answer to KillProcess", client.kill_process(self.request(message)));
        answer.await.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    /// Attaches to the terminal of a process of `session`.
    pub async fn attach(
        &self,
        session: &wire::Session,
        process_id: u32,
        since: u64,
    ) -> Result<AttachedTerminal, Refusal> {
        let attach = wire::AttachTerminal {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            process_id,
            since,
        };
        AttachedTerminal::begin(self, attach).await
    }

    pub(super) fn processes(&self) -> ProcessesClient<Channel> {
        self.processes.clone()
    }

    /// The numbers of the commands that run in `session`.
    pub async fn list_processes(&self, session: &wire::Session) -> Vec<u32> {
        let message = wire::ListProcessesRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
        };
        let mut client = self.processes.clone();
        let answer = client.list_processes(self.request(message));
        let answer = within("an answer to ListProcesses", answer).await.unwrap();
        let processes = answer.into_inner().processes;
        let running = processes.iter().filter(|process| process.ended.is_none());
        running.map(|process| process.process_id).collect()
    }

    pub async fn write_stdin(
        &self,
        session: &wire::Session,
        process_id: u32,
        data: &str,
        end: bool,
    ) -> Result<(), Refusal> {
        let message = wire::WriteStdinRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            process_id,
            data: data.as_bytes().to_vec().into(),
            end,
        };
        let mut client = self.processes.clone();
        let answer = client.write_stdin(self.request(message));
        within("an answer to WriteStdin", answer).await.map(drop).map_err(Refusal::from)
    }

    pub async fn signal_process(
        &self,
        session: &wire::Session,
        process_id: u32,
        signal: &str,
    ) -> Result<(), Refusal> {
        let message = wire::SignalProcessRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            process_id,
            signal: String::from(signal),
        };
        let mut client = self.processes.clone();
        let answer = client.signal_process(self.request(message));
        within("an answer to SignalProcess", answer).await.map(drop).map_err(Refusal::from)
    }

    /// What is in a directory of the workspace of `session`.
    pub async fn list_files(
        &self,
        session: &wire::Session,
        path: &str,
    ) -> Result<wire::ListFilesResponse, Refusal> {
        let message = wire::ListFilesRequest {
            session_id: session.session_id.clone(),
            owner: String::from(OWNER),
            path: Vec::from(path).into(),
            depth: 1,
            limit: 1000,
        };
        let mut client = self.files.clone();
        let answer = within("an answer to ListFiles", client.list_files(self.request(message)));
        answer.await.map(|a| a.into_inner()).map_err(Refusal::from)
    }
}
