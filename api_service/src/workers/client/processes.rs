//! Commands in sessions.

use std::time::Duration;

use proto::execution_v1 as wire;
use wire::process_event::Event as WireEvent;

use super::{Call, Error, WorkerClient, from_wire};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::process::{
    EndCause, NewProcess, Process, ProcessEnd, ProcessEvent, ProcessEvents, ProcessId, TerminalSize,
};
use crate::domain::timestamp::Timestamp;

/// A session, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct InSession<'a> {
    /// Which.
    pub session: &'a SessionId,
    /// Whose.
    pub owner: &'a UserId,
}

impl InSession<'_> {
    /// As the wire has them.
    pub(super) fn ids(&self) -> (String, String) {
        (self.session.as_str().to_owned(), self.owner.as_str().to_owned())
    }
}

/// Which events of a process are wanted, and how long to wait for them.
#[derive(Debug, Clone, Copy)]
pub struct EventsWanted {
    /// Those behind this number.
    pub after: u64,
    /// Up to about so many bytes of output.
    pub max_bytes: u32,
    /// How long to wait for the first.
    pub wait: Duration,
    /// Waits for the end or for so many bytes instead.
    pub until_end: bool,
}

impl WorkerClient {
    /// Starts a command, which goes on whoever goes away; with its first events.
    ///
    /// # Errors
    /// When the worker cannot be reached or does not start it.
    pub async fn start_process(
        &self,
        call: &Call,
        at: InSession<'_>,
        new: &NewProcess,
        wanted: EventsWanted,
    ) -> Result<(Process, ProcessEvents), Error> {
        let message = wire::StartProcessRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            command: new.command.clone(),
            env: new.env.clone().into_iter().collect(),
            working_directory: new
                .cwd
                .as_ref()
                .map(|path| path.as_str().to_owned())
                .unwrap_or_default(),
            open_stdin: new.open_stdin,
            stdin: new.stdin.clone().into(),
            timeout_ms: new.timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            terminal: new.terminal.map(size),
            tag: new.tag.clone(),
            awaited: !new.background,
            events: Some(events_wanted(wanted)),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.processes().start_process(request).await);
        let wire::StartProcessResponse { process, events } = answer.await?;
        let process = process.ok_or(Error::Malformed("a process without a number"))?;
        Ok((self::process(process), self::events(events.unwrap_or_default())?))
    }

    /// What a process has said.
    ///
    /// # Errors
    /// When the worker cannot be reached, or knows no such process.
    pub async fn read_process(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
        wanted: EventsWanted,
    ) -> Result<ProcessEvents, Error> {
        let message = wire::ReadProcessRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
            wanted: Some(events_wanted(wanted)),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.processes().read_process(request).await);
        events(answer.await?)
    }

    /// How a process is.
    ///
    /// # Errors
    /// When the worker cannot be reached, or knows no such process.
    pub async fn process(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
    ) -> Result<Process, Error> {
        let message = wire::GetProcessRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.processes().get_process(request).await);
        Ok(process(answer.await?))
    }

    /// Those that run in a session, and those that have ended lately.
    ///
    /// # Errors
    /// When the worker cannot be reached, or knows no such session.
    pub async fn processes(&self, call: &Call, at: InSession<'_>) -> Result<Vec<Process>, Error> {
        let message = wire::ListProcessesRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
        };
        let answer = self.call(call, message, async |rpc, request| {
            rpc.processes().list_processes(request).await
        });
        Ok(answer.await?.processes.into_iter().map(process).collect())
    }

    /// Writes to the standard input or the terminal of a process: all of it or nothing.
    ///
    /// # Errors
    /// [`Error::InputClosed`], [`Error::InputFull`], [`Error::ProcessNotFound`].
    pub async fn write_stdin(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
        (data, end): (Vec<u8>, bool),
    ) -> Result<(), Error> {
        let message = wire::WriteStdinRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
            data: data.into(),
            end,
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.processes().write_stdin(request).await);
        answer.await.map(|wire::WriteStdinResponse {}| ())
    }

    /// Sends a signal to a process and its group.
    ///
    /// # Errors
    /// [`Error::ProcessEnded`], [`Error::ProcessNotFound`].
    pub async fn signal_process(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
        signal: &'static str,
    ) -> Result<(), Error> {
        let message = wire::SignalProcessRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
            signal: signal.to_owned(),
        };
        let answer = self.call(call, message, async |rpc, request| {
            rpc.processes().signal_process(request).await
        });
        answer.await.map(|wire::SignalProcessResponse {}| ())
    }

    /// Kills a process with all that came of it.
    ///
    /// # Errors
    /// [`Error::ProcessNotFound`].
    pub async fn kill_process(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
    ) -> Result<Process, Error> {
        let message = wire::KillProcessRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.processes().kill_process(request).await);
        Ok(process(answer.await?))
    }

    /// Gives the terminal of a process another size.
    ///
    /// # Errors
    /// [`Error::NoTerminal`], [`Error::ProcessEnded`], [`Error::ProcessNotFound`].
    pub async fn resize_terminal(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
        to: TerminalSize,
    ) -> Result<(), Error> {
        let message = wire::ResizeTerminalRequest {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
            size: Some(size(to)),
        };
        let answer = self.call(call, message, async |rpc, request| {
            rpc.processes().resize_terminal(request).await
        });
        answer.await.map(|wire::ResizeTerminalResponse {}| ())
    }
}

fn events_wanted(wanted: EventsWanted) -> wire::EventsWanted {
    wire::EventsWanted {
        after: wanted.after,
        max_bytes: wanted.max_bytes,
        wait_ms: u32::try_from(wanted.wait.as_millis()).unwrap_or(u32::MAX),
        until_end: wanted.until_end,
    }
}

pub(super) fn size(TerminalSize { cols, rows }: TerminalSize) -> wire::TerminalSize {
    wire::TerminalSize { columns: cols.into(), rows: rows.into() }
}

fn process(process: wire::Process) -> Process {
    let wire::Process {
        process_id,
        command,
        started_at_ms,
        tag,
        has_terminal,
        stdin_open,
        ended,
        stdout_bytes,
        stderr_bytes,
    } = process;
    Process {
        id: ProcessId(process_id),
        command,
        tag,
        started_at: Timestamp::from_millis(started_at_ms),
        has_terminal,
        stdin_open,
        end: ended.map(end),
        stdout_bytes,
        stderr_bytes,
    }
}

fn events(events: wire::ProcessEvents) -> Result<ProcessEvents, Error> {
    let wire::ProcessEvents { events, over } = events;
    Ok(ProcessEvents { events: events.into_iter().map(event).collect::<Result<_, _>>()?, over })
}

fn event(event: wire::ProcessEvent) -> Result<(u64, ProcessEvent), Error> {
    let wire::ProcessEvent { event, number } = event;
    let event = match event.ok_or(Error::Malformed("an event without content"))? {
        WireEvent::Started(wire::ProcessStarted { process_id: _ }) => ProcessEvent::Started,
        WireEvent::Output(wire::Output { stream, offset, data }) => {
            ProcessEvent::Output { stream: from_wire::output_stream(stream)?, offset, data }
        }
        WireEvent::Ended(ended) => ProcessEvent::Ended(end(ended)),
    };
    Ok((number, event))
}

pub(super) fn end(ended: wire::ProcessEnded) -> ProcessEnd {
    let cause = match ended.cause() {
        wire::EndCause::Unspecified => EndCause::Itself,
        wire::EndCause::TimedOut => EndCause::TimedOut,
        wire::EndCause::SessionEnded => EndCause::SessionEnded,
    };
    let wire::ProcessEnded { exit_code, signal, cause: _, ended_at_ms, cpu_us, peak_memory_bytes } =
        ended;
    ProcessEnd {
        exit_code,
        signal,
        cause,
        at: Timestamp::from_millis(ended_at_ms),
        cpu: Duration::from_micros(cpu_us),
        peak_memory_bytes,
    }
}
