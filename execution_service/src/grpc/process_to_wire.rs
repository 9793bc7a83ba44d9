//! Commands: from our types to those of the wire.

use proto::execution_v1 as wire;
use wire::from_terminal::Message;

use super::to_wire::{micros, output, unix_millis};
use crate::execution::signals;
use crate::sandbox::spec::Exit;
use crate::session::processes::{Batch, End, EndCause, Frame, ProcessEvent, SessionProcess};

/// A command as callers see it.
pub fn process(process: &SessionProcess) -> wire::Process {
    let [stdout_bytes, stderr_bytes] = process.written();
    wire::Process {
        process_id: process.id.0,
        command: process.command.clone(),
        started_at_ms: unix_millis(process.started),
        tag: process.tag.clone(),
        has_terminal: process.has_terminal(),
        stdin_open: process.is_input_open(),
        ended: process.end().map(ended),
        stdout_bytes,
        stderr_bytes,
    }
}

/// What a command has said.
pub fn events(Batch { events, over }: Batch) -> wire::ProcessEvents {
    wire::ProcessEvents { events: events.into_iter().map(event).collect(), over }
}

fn event((number, event): (u64, ProcessEvent)) -> wire::ProcessEvent {
    use wire::process_event::Event as Wire;
    let event = match event {
        ProcessEvent::Started(id) => Wire::Started(wire::ProcessStarted { process_id: id.0 }),
        ProcessEvent::Output { stream, offset, data } => Wire::Output(output(stream, offset, data)),
        ProcessEvent::Ended(end) => Wire::Ended(ended(end)),
    };
    wire::ProcessEvent { event: Some(event), number }
}

fn ended(End { exit, cause, at, cpu, peak_memory_bytes }: End) -> wire::ProcessEnded {
    let (exit_code, signal) = match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(number) => (None, Some(signals::name(number))),
    };
    let cause = match cause {
        EndCause::Itself => wire::EndCause::Unspecified,
        EndCause::TimedOut => wire::EndCause::TimedOut,
        EndCause::SessionEnded => wire::EndCause::SessionEnded,
    };
    wire::ProcessEnded {
        exit_code,
        signal,
        cause: i32::from(cause),
        ended_at_ms: unix_millis(at),
        cpu_us: micros(cpu),
        peak_memory_bytes,
    }
}

/// What is to be seen of a terminal.
pub fn terminal_frame(frame: Frame) -> wire::FromTerminal {
    let message = match frame {
        Frame::Output { offset, data } => {
            Message::Output(wire::TerminalOutput { offset, data: data.into() })
        }
        Frame::Taken(bytes) => Message::InputTaken(bytes),
        Frame::Ended(end) => Message::Ended(ended(end)),
        Frame::TakenOver => Message::TakenOver(wire::TakenOver {}),
    };
    wire::FromTerminal { message: Some(message) }
}
