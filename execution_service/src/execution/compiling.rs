//! A run of a compiled language: its compiler, or what that has made of the same text before, and then
//! the program.

use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::TryFutureExt;
use tokio::time::timeout;

use crate::language::{CompiledLanguage, Mode, Program, RequestPlace};
use crate::sandbox::backend::{Process, SandboxError};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::{Command, Exit, Stdin};
use crate::sandbox::workspace::WorkspacePath;

use super::compiled::{Compilation, CompilationKey, Compiled, CompiledPrograms};
use super::drive::{Driven, Running, drive};
use super::ending::Ending;
use super::event::Event;
use super::input::while_feeding;
use super::kernel::{KernelError, request_path};
use super::limits::Limits;
use super::output::Capped;
use super::outputs::Recording;
use super::run::{Completed, Run};
use super::runner::Runner;
use super::sink::Sink;
use super::stream::Stream;
use super::stream::StreamTotals;

/// Larger executables are made anew: to read one takes 64 KiB a question, while the run waits. A short
/// program has 16 KiB, linked statically 800.
const LARGEST_KEPT: usize = 4 << 20;

/// With more bytes of files than this beside a source it is compiled again, whatever they are: what costs less to
/// compare than to compile is text.
const LARGEST_COMPARED: usize = 1 << 20;

/// For all of it. A millisecond a piece is slow already.
const READING: Duration = Duration::from_millis(500);

/// What came of building: an executable at its runner.
struct Built {
    time: Duration,
    stdout: StreamTotals,
    stderr: StreamTotals,
}

/// Where a compilation is kept.
#[derive(Clone, Copy)]
struct Slot<'a> {
    programs: &'a Mutex<CompiledPrograms>,
    key: CompilationKey,
}

impl Slot<'_> {
    fn find(self) -> Option<Arc<Compiled>> {
        self.lock().find(self.key, Instant::now())
    }

    fn keep(self, compiled: Compiled) {
        self.lock().keep(self.key, compiled, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, CompiledPrograms> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run<'_> {
    pub(super) async fn compiled(
        &self,
        language: &dyn CompiledLanguage,
        program: Program<'_>,
        runner: &mut Runner,
        sink: &Sink,
        recording: &mut Recording,
    ) -> Result<Completed, KernelError> {
        let mut command = language.compile(self.executable, program);
        runner.toolchains.make_found_by(&mut command);
        let slot = self.slot(&command);
        let found = self.build_from(slot, language, runner, sink, recording);
        let built = match self.hand_over(found).await? {
            Some(built) => built,
            None => match self.build(command, slot, language, runner, sink, recording).await? {
                Ok(built) => built,
                Err(report) => return Ok(*report),
            },
        };
        let begun = Instant::now();
        let rest = sink.after(built.stdout, built.stderr).remembering();
        let mut command = language.run(self.executable, program);
        runner.toolchains.make_found_by(&mut command);
        // A PATH of the program's own is its business.
        command.env.extend(self.request.env.clone());
        if self.request.input.is_some() {
            command.stdin = Stdin::Pipe;
        }
        let mut driven = self.step(command, self.limits, runner, &rest, recording).await?;
        if let Ending::Exited(exit) = driven.ending {
            driven.diagnostic = language.explain(exit, &rest.last_words());
        }
        driven.stdout = add(driven.stdout, built.stdout);
        driven.stderr = add(driven.stderr, built.stderr);
        self.report(driven, self.limits, (Some(built.time), begun.elapsed()), runner, None).await
    }

    /// `None` where the compiler could find more than what the request brings, the files of a session's
    /// earlier runs, and where those that it brings are so large that to compare them takes long.
    fn slot(&self, command: &Command) -> Option<Slot<'_>> {
        let programs = self.compiled?;
        let files = &self.request.files;
        let bytes: usize = files.iter().map(|file| file.content.len()).sum();
        if self.mode != Mode::Once || bytes > LARGEST_COMPARED {
            return None;
        }
        let compilation = Compilation {
            owner: &self.request.owner,
            compiler: &format!("{} {}", self.executable, self.version),
            arguments: &command.args,
            source: &self.request.code,
            files,
        };
        compilation.is_repeatable().then(|| Slot { programs, key: compilation.key() })
    }

    /// Leaves the sandbox, and what the caller hears, as the compiler would have.
    async fn build_from(
        &self,
        slot: Option<Slot<'_>>,
        language: &dyn CompiledLanguage,
        runner: &Runner,
        sink: &Sink,
        recording: &mut Recording,
    ) -> Result<Option<Built>, KernelError> {
        let Some(compiled) = slot.and_then(Slot::find) else {
            return Ok(None);
        };
        let sandbox = runner.sandbox.as_ref();
        let (source, executable) = (source_path(language), executable_path(language, runner.place));
        // One after the other they would cost three ways to the sandbox and back.
        let (code, program) = (self.request.code.as_bytes(), &compiled.executable);
        let written = tokio::try_join!(
            sandbox.write_file(Root::Workspace, &source, code, FileMode::Regular),
            sandbox.write_file(Root::Requests, &executable, program, FileMode::Executable),
            self.hand_over_stdin(runner),
        );
        match written {
            Ok(_) => {}
            // There is no room for it: the compiler says so better.
            Err(SandboxError::Write { .. }) => return Ok(None),
            Err(error) => return Err(KernelError::from(error)),
        }
        recording.push(Stream::Stderr, &compiled.warnings);
        let stderr = repeat(&compiled.warnings, self.limits.output_bytes, sink);
        Ok(Some(Built { time: Duration::ZERO, stdout: StreamTotals::default(), stderr }))
    }

    /// Compiles; the other result is the report of a compilation that failed.
    async fn build(
        &self,
        command: Command,
        slot: Option<Slot<'_>>,
        language: &dyn CompiledLanguage,
        runner: &mut Runner,
        sink: &Sink,
        recording: &mut Recording,
    ) -> Result<Result<Built, Box<Completed>>, KernelError> {
        let code = self.request.code.as_bytes();
        let source = source_path(language);
        let building = Arc::clone(&runner.building);
        let building = self.hand_over(async { Ok(building.lock_owned().await) }).await?;
        let written = runner.sandbox.write_file(Root::Workspace, &source, code, FileMode::Regular);
        self.hand_over(written.map_err(KernelError::from)).await?;

        let begun = Instant::now();
        // Its own limit, but not longer than the caller is ready to wait for the program.
        let wall = self.settings.compile_wall.min(self.limits.wall);
        let compiler_limits = Limits { wall, ..*self.limits };
        let (own_sink, mut said) = Sink::new();
        let compiler = self.step(command, &compiler_limits, runner, &own_sink, recording).await?;
        drop(building);
        let time = begun.elapsed();
        drop(own_sink);
        let succeeded = compiler.ending == Ending::Exited(Exit::Code(0));
        if succeeded {
            // Not before: the compiler could include it, and what it makes is for any input.
            let written = self.hand_over_stdin(runner);
            self.hand_over(written.map_err(KernelError::from)).await?;
        }
        let mut warnings = Vec::new();
        while let Some(event) = said.recv().await {
            if let Event::Output { stream: Stream::Stderr, data, .. } = &event {
                warnings.extend_from_slice(data);
            }
            sink.send(event);
        }
        if !succeeded {
            let said = language.diagnose(&String::from_utf8_lossy(&warnings));
            let times = (Some(time), Duration::ZERO);
            let report = self.report(compiler, &compiler_limits, times, runner, Some(said)).await?;
            return Ok(Err(Box::new(report)));
        }
        let Driven { stdout, stderr, .. } = compiler;
        if let Some(slot) = slot
            && stdout.bytes == 0
            && !stderr.truncated
        {
            keep(slot, warnings, language, runner).await;
        }
        Ok(Ok(Built { time, stdout, stderr }))
    }

    async fn step(
        &self,
        command: Command,
        limits: &Limits,
        runner: &Runner,
        sink: &Sink,
        recording: &mut Recording,
    ) -> Result<Driven, SandboxError> {
        let mut process: Process = runner.sandbox.start(command).await?;
        // Of a compiler there is none.
        let stdin = process.stdin.take().map(|stdin| ready(Ok(stdin)));
        let input = self.request.input.as_deref().zip(stdin);
        let running =
            Running { process: &mut process, kernel: None, telling: None, ends_with_done: false };
        let rules = self.rules(runner, limits, None);
        let driven = drive(runner.sandbox.as_ref(), running, rules, sink, recording);
        while_feeding(input, driven).await
    }
}

/// Must happen before the program runs, which could put something else at the place of its executable.
async fn keep(slot: Slot<'_>, warnings: Vec<u8>, language: &dyn CompiledLanguage, runner: &Runner) {
    let path = executable_path(language, runner.place);
    let read = runner.sandbox.read_file(Root::Requests, &path, LARGEST_KEPT);
    match timeout(READING, read).await {
        Ok(Ok(Some(executable))) => slot.keep(Compiled { executable, warnings }),
        // Too large, or too slow: the program waits.
        Ok(Ok(None)) | Err(_) => {}
        // The run itself goes on, as far as it can.
        Ok(Err(error)) => tracing::debug!(%error, "a compiled program is not kept"),
    }
}

/// Says on standard error what a compiler has said before.
fn repeat(warnings: &[u8], limit: u64, sink: &Sink) -> StreamTotals {
    let mut stream = Capped::new(limit);
    let pieces = [stream.push(warnings), stream.finish()];
    for piece in pieces.into_iter().flatten() {
        let (offset, data) = (piece.offset, piece.data);
        sink.send(Event::Output { stream: Stream::Stderr, offset, data });
    }
    stream.totals()
}

fn source_path(language: &dyn CompiledLanguage) -> WorkspacePath {
    WorkspacePath::parse(language.source_file())
        .expect("names of source files are constants without '/' and '..'")
}

fn executable_path(language: &dyn CompiledLanguage, place: RequestPlace) -> WorkspacePath {
    request_path(&place.beside(language.executable_file()))
}

fn add(one: StreamTotals, other: StreamTotals) -> StreamTotals {
    let (bytes, truncated) = (one.bytes + other.bytes, one.truncated || other.truncated);
    StreamTotals { bytes, truncated, stored: None }
}
