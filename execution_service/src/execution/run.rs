//! One run in a sandbox: hand over, drive, judge.

mod files;
mod stdin;

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::language::diagnostic::{Diagnostic, Kind};
use crate::language::{Approach, KernelLanguage, Mode, Program};
use crate::sandbox::backend::{ProcessId, SandboxError};
use crate::sandbox::files::{FileMode, Root, Tree};
use crate::sandbox::spec::{Exit, REQUEST_DIR, Usage};

use super::artifacts::{Collected, LargeResults};
use super::changes::Changes;
use super::compiled::CompiledPrograms;
use super::drive::{Driven, Running, drive};
use super::ending::{Ending, Stop};
use super::event::Event;
use super::handle::Handle;
use super::input::while_feeding;
use super::judge::{Observed, Verdict, judge};
use super::kernel::{KernelError, Telling, hand_over};
use super::limits::Limits;
use super::outcome::{Accounting, Status};
use super::outputs::{Outputs, Recording};
use super::request::Request;
use super::rules::Rules;
use super::runner::{Runner, UNHURRIED};
use super::sharing::Share;
use super::signals::SIGKILL;
use super::sink::Sink;
use super::stream::StreamTotals;

pub use files::Watched;
use stdin::STDIN;

/// Patience with the account of a program that was stopped: its answer is due.
const AFTER_DEADLINE: Duration = Duration::from_millis(50);

/// The least that everything before a program may take: for an interpreter that is started, on a machine that
/// has much to do.
const HAND_OVER: Duration = Duration::from_secs(30);

/// What does not change from run to run.
#[derive(Clone, Copy, Debug)]
pub struct RunSettings {
    /// Past this many bytes on one stream a program is stopped.
    pub hard_output: u64,
    /// What a compiler may take by the clock.
    pub compile_wall: Duration,
    /// How exact the accounts are.
    pub accounting: Accounting,
}

/// One run, about to begin.
pub struct Run<'a> {
    /// What.
    pub request: &'a Request,
    /// With what.
    pub limits: &'a Limits,
    /// The interpreter or compiler.
    pub executable: &'a str,
    /// Its version, as it says of itself.
    pub version: &'a str,
    /// What compilers have made before; absent where nothing is kept.
    pub compiled: Option<&'a Mutex<CompiledPrograms>>,
    /// Where whole output is kept; absent where it is not.
    pub outputs: Option<&'a Arc<Outputs>>,
    /// Alone or in a session.
    pub mode: Mode,
    /// What does not change from run to run.
    pub settings: RunSettings,
    /// Fires when nobody wants the answer any more.
    pub cancelled: &'a CancellationToken,
    /// By which it can be interrupted; absent for a run that cannot.
    pub handle: Option<&'a Handle>,
    /// Its place among what goes on in the sandbox.
    pub share: &'a Share,
    /// What is known of the workspace from before; absent where nobody wants to know what is changed.
    pub watched: Option<Watched>,
}

/// A run that has come to its end.
pub struct Completed {
    /// The verdict.
    pub verdict: Verdict,
    /// What it used.
    pub usage: Usage,
    /// Of descriptor 1.
    pub stdout: StreamTotals,
    /// Of descriptor 2.
    pub stderr: StreamTotals,
    /// Rich results that were left out.
    pub results_omitted: u32,
    /// Time of the compiler.
    pub compile: Option<Duration>,
    /// Time of the program.
    pub run: Duration,
    /// The kernel is gone, and with it what it knew.
    pub kernel_lost: bool,
    /// Something else went on in the sandbox meanwhile, and its share is in `usage`.
    pub shared: bool,
    /// A process that was stopped and may still run, with what it has started: to be killed behind the answer.
    pub to_kill: Option<ProcessId>,
    /// The workspace as it was at the end, where its changes are to be told.
    pub after: Option<Arc<Tree>>,
    /// What was changed in it.
    pub changes: Option<Changes>,
    /// The files that were to be collected.
    pub collected: Option<Collected>,
}

impl Run<'_> {
    /// Runs to the end. Whatever the program does is in the report; an error is our own failure.
    pub async fn run(self, runner: &mut Runner, sink: &Sink) -> Result<Completed, KernelError> {
        match self.attempt(runner, sink).await {
            // What is in the way is what user code has left there, or what it wants is too much.
            Err(KernelError::Sandbox(SandboxError::Write { path, source })) => {
                let hint = "the file could not be put into the workspace; look at what is there";
                self.hindered("WriteError", (&path, &source), hint, runner).await
            }
            Err(KernelError::Sandbox(SandboxError::Start { program, source }))
                if self.is_the_users(&program)
                    || source.kind() == ErrorKind::ArgumentListTooLong =>
            {
                let hint = "it could not be executed; look at how it is built, how long its arguments \
                            (for a compiler: names of files) are, what earlier runs of the session have \
                            left running, and whether the context's working directory is still there";
                self.hindered("StartError", (&program, &source), hint, runner).await
            }
            Err(KernelError::Stopped(stop)) => {
                // What was told of it by halves must not be heard by the next run.
                let kernel = runner.kernel.take();
                let had_state = kernel.as_ref().is_some_and(|kernel| kernel.was_ready);
                let to_kill = kernel.map(|kernel| kernel.process.id);
                let never = Driven { ending: Ending::Stopped(stop), to_kill, ..never_driven() };
                let times = (None, Duration::ZERO);
                let mut report = self.report(never, self.limits, times, runner, None).await?;
                report.kernel_lost = had_state;
                Ok(report)
            }
            Err(error @ KernelError::Sandbox(SandboxError::Gone)) => {
                // Process 1 is the last that a limit of memory kills. It may not have come to say that a program has
                // begun.
                let usage = runner.sandbox.usage(AFTER_DEADLINE).await?;
                if usage.oom_kills == runner.baseline.oom_kills {
                    return Err(error);
                }
                runner.kernel = None;
                let ending = Ending::Exited(Exit::Signal(SIGKILL));
                let killed = Driven { ending, alive: false, ..never_driven() };
                self.report(killed, self.limits, (None, Duration::ZERO), runner, None).await
            }
            result => result,
        }
    }

    async fn attempt(&self, runner: &mut Runner, sink: &Sink) -> Result<Completed, KernelError> {
        self.hand_over(async {
            for file in &self.request.files {
                let (path, content) = (&file.path, &file.content);
                runner
                    .sandbox
                    .write_file(Root::Workspace, path, content, FileMode::Regular)
                    .await?;
            }
            Ok(())
        })
        .await?;
        let before = self.look_before(runner).await;
        sink.send(Event::Started);
        let stdin = format!("{}/{STDIN}", runner.place.directory());
        let directory = Arc::clone(&runner.directory);
        let program = Program {
            code: &self.request.code,
            args: &self.request.args,
            env: &self.request.env,
            stdin: self.has_stdin().then_some(&*stdin),
            files: &self.request.files,
            compiler_flags: &self.request.compiler_flags,
            working_directory: &directory,
            place: runner.place,
        };
        let Request { id, owner, .. } = self.request;
        let mut recording = Recording::new(self.outputs, id, owner);
        let large = self.request.large_results.zip(self.outputs);
        let large = large.map(|(above, store)| LargeResults::new(store, id, owner, above));
        let large = large.as_ref();
        let mut report = match self.request.language.approach() {
            Approach::Kernel(language) => {
                self.by_kernel(language, program, runner, sink, (&mut recording, large)).await?
            }
            Approach::Compiled(language) => {
                self.compiled(language, program, runner, sink, &mut recording).await?
            }
        };
        recording.finish(&mut report.stdout, &mut report.stderr).await;
        report.changes = self.changes(before.as_ref(), report.after.as_deref());
        report.collected = self.collect(runner, large).await;
        Ok(report)
    }

    /// Whether code of the user's has its hand in what becomes of `program`: it is made of their text, or
    /// lives where earlier runs may have taken every process and file there is.
    fn is_the_users(&self, program: &str) -> bool {
        self.mode == Mode::Session || program.starts_with(REQUEST_DIR)
    }

    /// The report of a run for which something could not be done: `name` is the diagnostic's.
    async fn hindered(
        &self,
        name: &str,
        (what, error): (&str, &io::Error),
        hint: &str,
        runner: &mut Runner,
    ) -> Result<Completed, KernelError> {
        let message = format!("{what}: {error}");
        let mut diagnostic = Diagnostic::new(Kind::Exception, name, message).hint(hint);
        diagnostic.errno = error.raw_os_error();
        self.never_ran(diagnostic, runner).await
    }

    /// The report of a run that could not even begin, because of what its caller or earlier code did.
    pub async fn never_ran(
        &self,
        diagnostic: Diagnostic,
        runner: &mut Runner,
    ) -> Result<Completed, KernelError> {
        let nothing = Driven { diagnostic: Some(diagnostic), ..never_driven() };
        let times = (None, Duration::ZERO);
        let mut report = self.report(nothing, self.limits, times, runner, None).await?;
        report.verdict.exit_code = None;
        // Nothing was done to the kernel, if there was one.
        report.kernel_lost = false;
        Ok(report)
    }

    /// Bounds what comes before the program. Init is one process among those of the user, who may have
    /// starved it so that each step takes just not too long, and holds a slot meanwhile.
    pub(super) async fn hand_over<T>(
        &self,
        work: impl Future<Output = Result<T, KernelError>>,
    ) -> Result<T, KernelError> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.cancelled.cancelled() => Err(KernelError::Stopped(Stop::Cancelled)),
            () = sleep(self.limits.wall.max(HAND_OVER)) => Err(KernelError::Stopped(Stop::Wall)),
        }
    }

    pub(super) fn rules<'a>(
        &'a self,
        runner: &Runner,
        limits: &'a Limits,
        large: Option<&'a LargeResults>,
    ) -> Rules<'a> {
        Rules {
            limits,
            hard_output: self.settings.hard_output,
            accounting: self.settings.accounting,
            before: runner.baseline,
            share: self.share,
            large,
            cancelled: self.cancelled,
            handle: self.handle,
        }
    }

    async fn by_kernel(
        &self,
        language: &dyn KernelLanguage,
        program: Program<'_>,
        runner: &mut Runner,
        sink: &Sink,
        (recording, large): (&mut Recording, Option<&LargeResults>),
    ) -> Result<Completed, KernelError> {
        let prepared = async {
            self.hand_over_stdin(runner).await?;
            let input = self.open_input(runner).await?;
            runner.ensure_kernel(self.request.language).await?;
            let Some(kernel) = &mut runner.kernel else {
                return Err(KernelError::NotReady(String::from("the language has no kernel")));
            };
            let id = kernel.next_run().await;
            let request = language.request(id, self.mode, program);
            Ok((id, hand_over(runner.sandbox.as_ref(), runner.place, request).await?, input))
        };
        let (id, line, input) = self.hand_over(prepared).await?;
        let rules = self.rules(runner, self.limits, large);
        let Some(kernel) = &mut runner.kernel else {
            return Err(KernelError::NotReady(String::from("the language has no kernel")));
        };
        let begun = Instant::now();
        let running = Running {
            process: &mut kernel.process,
            kernel: Some((&mut kernel.frames, id)),
            telling: Some(Telling::new(&mut kernel.writer, line)),
            ends_with_done: self.mode == Mode::Session,
        };
        let driven = drive(runner.sandbox.as_ref(), running, rules, sink, recording);
        let driven = while_feeding(input, driven).await?;
        let run = begun.elapsed();
        if !driven.alive {
            runner.kernel = None;
        }
        self.report(driven, self.limits, (None, run), runner, None).await
    }

    pub(super) async fn report(
        &self,
        driven: Driven,
        limits: &Limits,
        (compile, run): (Option<Duration>, Duration),
        runner: &mut Runner,
        compiler_said: Option<Diagnostic>,
    ) -> Result<Completed, KernelError> {
        let disk_was_full = runner.baseline.disk_full;
        let patience = match driven.ending {
            Ending::Stopped(_) => AFTER_DEADLINE,
            Ending::Exited(_) | Ending::Finished { .. } => UNHURRIED,
        };
        // Init lists while the account is read.
        let sandbox = Arc::clone(&runner.sandbox);
        let look = self.look_after(sandbox.as_ref());
        let (after, usage) = tokio::join!(look, runner.settle_usage(patience));
        let usage = usage?;
        let shared = self.share.is_shared();
        let failed_to_compile = compiler_said.is_some();
        let diagnostic = driven.diagnostic.or(compiler_said).map(Diagnostic::bounded);
        let observed = Observed {
            ending: driven.ending,
            diagnostic,
            usage,
            shared,
            disk_was_full,
            accounting: self.settings.accounting,
        };
        let ending = observed.ending;
        let mut verdict = judge(observed, limits);
        if failed_to_compile {
            // The compiler's. There was no program yet.
            verdict.exit_code = None;
            if verdict.status == Status::Failed {
                verdict.status = Status::CompileFailed;
            }
            if let (Ending::Stopped(Stop::Wall), Some(found)) = (ending, &mut verdict.diagnostic) {
                found.message.insert_str(0, "the compiler was ");
            }
        }
        let (stdout, stderr) = (driven.stdout, driven.stderr);
        let kernel_lost = runner.kernel.is_none()
            && matches!(self.request.language.approach(), Approach::Kernel(_));
        Ok(Completed {
            verdict,
            usage,
            stdout,
            stderr,
            results_omitted: driven.results_omitted,
            compile,
            run,
            kernel_lost,
            shared,
            to_kill: driven.to_kill,
            after,
            changes: self.watched.as_ref().map(|_| Changes::default()),
            collected: self.request.collect.as_ref().map(|_| Collected::default()),
        })
    }
}

/// Of a program that did not begin.
fn never_driven() -> Driven {
    Driven {
        ending: Ending::Finished { exit_code: 1 },
        diagnostic: None,
        stdout: StreamTotals::default(),
        stderr: StreamTotals::default(),
        results_omitted: 0,
        alive: true,
        to_kill: None,
    }
}

#[cfg(test)]
mod tests;
