//! A language's interpreter in a sandbox, and what it says on its control channel.
//!
//! User code shares the kernel's process and can say anything on that channel. What it says is
//! bounded, and decides nothing but the answer to its own run.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::timeout;

use crate::language::{
    Channel, KernelLanguage, KernelRequest, KernelStart, Language, RequestPlace, Toolchains,
};
use crate::sandbox::backend::{Control, InputStream, Process, Sandbox, SandboxError, Zygote};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::{ControlChannel, Exit};
use crate::sandbox::workspace::WorkspacePath;

use super::ending::Stop;
use super::frames::{Frame, Frames};
use super::signals::SIGKILL;

/// An interpreter that is not ready by then never will be.
const BOOT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long after the end of its control channel an interpreter that has ended is known to have. What it said on
/// standard error is why.
const NEWS_OF_ITS_END: Duration = Duration::from_secs(1);

/// A started kernel.
pub struct Kernel {
    /// Its process; output and end are read by whoever runs something.
    pub process: Process,
    /// What it says.
    pub frames: Frames,
    /// What it is told, by [`Telling`].
    pub writer: InputStream,
    /// It has been ready once, and may have a state.
    pub was_ready: bool,
    /// Known once somebody has asked for it, who alone is told.
    ended: Option<Exit>,
}

/// A request on its way to a kernel. It may never arrive: user code can keep its kernel from reading, and a
/// pipe holds only so much.
pub struct Telling<'a> {
    writer: &'a mut InputStream,
    line: Vec<u8>,
    told: usize,
}

impl<'a> Telling<'a> {
    /// Of `line`, without its end.
    pub fn new(kernel: &'a mut InputStream, line: String) -> Self {
        let mut line = line.into_bytes();
        line.push(b'\n');
        Self { writer: kernel, line, told: 0 }
    }

    /// Whether the kernel has been told all of it.
    pub fn is_told(&self) -> bool {
        self.told == self.line.len()
    }

    /// Tells the rest. Can be cancelled without losing anything.
    ///
    /// # Errors
    /// When nobody is there to read it.
    pub async fn tell(&mut self) -> io::Result<()> {
        while !self.is_told() {
            match self.writer.write(&self.line[self.told..]).await? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero)),
                count => self.told += count,
            }
        }
        Ok(())
    }
}

/// Why there is no kernel.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The sandbox could not do what was asked.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The interpreter ended, or said nothing, instead of getting ready.
    #[error("the interpreter did not get ready: {0}")]
    NotReady(String),
    /// It could not be handed over what it needs before this happened.
    #[error("what the program needs was not handed over in time")]
    Stopped(Stop),
}

impl KernelError {
    /// For want of anything to run `language` with.
    pub fn not_installed(language: Language) -> Self {
        Self::NotReady(format!("{language} is not installed here"))
    }
}

impl Kernel {
    /// Starts the interpreter `executable` in `sandbox`, in a directory of it; it gets ready by itself and finds its
    /// requests at their place.
    pub async fn start(
        sandbox: &dyn Sandbox,
        language: &dyn KernelLanguage,
        (executable, toolchains): (&str, &Toolchains),
        (place, directory): (RequestPlace, &str),
    ) -> Result<Self, KernelError> {
        let KernelStart { mut command, channel } = language.start(executable, place);
        toolchains.make_found_by(&mut command);
        command.working_directory = String::from(directory);
        if let Channel::Fifos { incoming, outgoing } = channel {
            let fifo = |name| request_path(&place.beside(name));
            let (incoming, outgoing) = (fifo(incoming), fifo(outgoing));
            command.control = ControlChannel::Fifos { incoming, outgoing };
        }
        Self::new(sandbox.start(command).await?)
    }

    /// Starts an interpreter in `sandbox` from `zygote` and waits until it is ready.
    pub async fn start_from(sandbox: &dyn Sandbox, zygote: &Zygote) -> Result<Self, KernelError> {
        let mut kernel = Self::new(sandbox.start_from(zygote).await?)?;
        kernel.ready().await?;
        Ok(kernel)
    }

    fn new(mut process: Process) -> Result<Self, KernelError> {
        let Some(Control { reader, writer }) = process.control.take() else {
            return Err(KernelError::NotReady(String::from("it has no control channel")));
        };
        Ok(Self { process, frames: Frames::new(reader), writer, was_ready: false, ended: None })
    }

    /// Waits until it can take a run. One that cannot, or is not waited for, is of no use any more.
    pub async fn ready(&mut self) -> Result<(), KernelError> {
        match timeout(BOOT_TIMEOUT, self.until_ready()).await {
            Ok(Ok(())) => {
                self.was_ready = true;
                Ok(())
            }
            Ok(Err(why)) => Err(KernelError::NotReady(why)),
            Err(_) => Err(KernelError::NotReady(format!("nothing heard in {BOOT_TIMEOUT:?}"))),
        }
    }

    async fn until_ready(&mut self) -> Result<(), String> {
        let end = tokio::select! {
            frame = self.frames.next() => match frame {
                Ok(Some(Frame::Ready)) => return Ok(()),
                Ok(Some(other)) => return Err(format!("{other:?} instead of ready")),
                // Usually because it has ended, of which the news is slower.
                Ok(None) => match timeout(NEWS_OF_ITS_END, &mut self.process.exit).await {
                    Ok(end) => end,
                    Err(_) => return Err(String::from("it has closed its control channel")),
                },
                Err(error) => return Err(error.to_string()),
            },
            end = &mut self.process.exit => end,
        };
        let mut said = vec![0; 4096];
        let length = self.process.stderr.read_now(&mut said).ok().flatten().unwrap_or(0);
        let said = String::from_utf8_lossy(&said[..length]).into_owned();
        let exit = end.map_or(Exit::Code(-1), |end| end.exit);
        Err(format!("{exit:?}: {said:?}"))
    }

    /// Whether its process, or the whole sandbox, has ended.
    pub fn has_ended(&mut self) -> bool {
        self.exit().is_some()
    }

    /// How its process ended, if it has. With the whole sandbox it was killed.
    pub fn exit(&mut self) -> Option<Exit> {
        if self.ended.is_none() {
            self.ended = match self.process.exit.try_recv() {
                Ok(end) => Some(end.exit),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Closed) => Some(Exit::Signal(SIGKILL)),
            };
        }
        self.ended
    }

    /// A number for the next run, which earlier code cannot know: it may still be running, and could
    /// speak in the name of a run that it can name.
    pub async fn next_run(&mut self) -> u64 {
        self.frames.discard().await;
        // JavaScript's numbers are exact up to 53 bits.
        uuid::Uuid::new_v4().as_u64_pair().0 >> (64 - 53)
    }
}

/// Puts the files of a request where the kernel finds them, at `place`; gives the line to tell it.
pub async fn hand_over(
    sandbox: &dyn Sandbox,
    place: RequestPlace,
    request: KernelRequest,
) -> Result<String, KernelError> {
    for (name, content) in &request.files {
        let (path, mode) = (request_path(&place.file(name)), FileMode::Regular);
        sandbox.write_file(Root::Requests, &path, content, mode).await?;
    }
    Ok(request.line)
}

/// A name of ours in the request directory.
pub fn request_path(name: &str) -> WorkspacePath {
    WorkspacePath::parse(name).expect("names of request files are constants without '/' and '..'")
}
