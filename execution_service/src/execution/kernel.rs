//! A language's interpreter in a sandbox, and what it says on its control channel.
//!
//! User code shares the kernel's process and can say anything on that channel. What it says is
//! bounded, and decides nothing but the answer to its own run.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::timeout;

use crate::language::{Channel, KernelLanguage, KernelRequest};
use crate::sandbox::backend::{Control, Place, Process, Sandbox, SandboxError, Zygote};
use crate::sandbox::spec::Exit;
use crate::sandbox::workspace::WorkspacePath;

use super::frames::{Frame, Frames};

/// An interpreter that is not ready by then never will be.
const BOOT_TIMEOUT: Duration = Duration::from_secs(20);

/// A started kernel.
pub struct Kernel {
    /// Its process; output and end are read by whoever runs something.
    pub process: Process,
    /// What it says.
    pub frames: Frames,
    writer: Box<dyn tokio::io::AsyncWrite + Send + Sync + Unpin>,
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
    /// The kernel cannot be told anything any more.
    #[error("the kernel went away: {0}")]
    Gone(io::Error),
}

impl Kernel {
    /// Starts the interpreter `executable` in `sandbox` and waits until it is ready.
    pub async fn start(
        sandbox: &dyn Sandbox,
        language: &dyn KernelLanguage,
        executable: &str,
    ) -> Result<Self, KernelError> {
        let start = language.start(executable);
        let fifos = match start.channel {
            Channel::Fifos { incoming, outgoing } => {
                Some(sandbox.make_fifos(&request_path(incoming), &request_path(outgoing)).await?)
            }
            Channel::Socket => None,
        };
        let process = sandbox.start(start.command).await?;
        Self::open(process, fifos).await
    }

    /// Has `zygote` fork an interpreter into `sandbox` and waits until it is ready.
    pub async fn fork(sandbox: &dyn Sandbox, zygote: &Zygote) -> Result<Self, KernelError> {
        Self::open(sandbox.fork(zygote).await?, None).await
    }

    async fn open(mut process: Process, fifos: Option<Control>) -> Result<Self, KernelError> {
        let Some(Control { reader, writer }) = fifos.or(process.control.take()) else {
            return Err(KernelError::NotReady(String::from("it has no control channel")));
        };
        let mut kernel = Self { process, frames: Frames::new(reader), writer };
        match timeout(BOOT_TIMEOUT, kernel.until_ready()).await {
            Ok(Ok(())) => Ok(kernel),
            Ok(Err(why)) => Err(KernelError::NotReady(why)),
            Err(_) => Err(KernelError::NotReady(format!("nothing heard in {BOOT_TIMEOUT:?}"))),
        }
    }

    async fn until_ready(&mut self) -> Result<(), String> {
        tokio::select! {
            frame = self.frames.next() => match frame {
                Ok(Some(Frame::Ready)) => Ok(()),
                Ok(other) => Err(format!("{other:?} instead of ready")),
                Err(error) => Err(error.to_string()),
            },
            end = &mut self.process.exit => {
                let mut said = vec![0; 4096];
                let length = self.process.stderr.read_now(&mut said).ok().flatten().unwrap_or(0);
                let said = String::from_utf8_lossy(&said[..length]).into_owned();
                let exit = end.map_or(Exit::Code(-1), |end| end.exit);
                Err(format!("{exit:?}: {said:?}"))
            }
        }
    }

    /// Whether its process, or the whole sandbox, has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.process.exit.try_recv(), Err(TryRecvError::Empty))
    }

    /// A number for the next run, which earlier code cannot know: it may still be running, and could
    /// speak in the name of a run that it can name.
    pub async fn next_run(&mut self) -> u64 {
        self.frames.discard().await;
        // JavaScript's numbers are exact up to 53 bits.
        uuid::Uuid::new_v4().as_u64_pair().0 >> (64 - 53)
    }

    /// Tells the kernel what to run.
    pub async fn send(
        &mut self,
        sandbox: &dyn Sandbox,
        request: KernelRequest,
    ) -> Result<(), KernelError> {
        for (name, content) in &request.files {
            sandbox.write_file(Place::Requests, &request_path(name), content).await?;
        }
        let mut line = request.line.into_bytes();
        line.push(b'\n');
        self.writer.write_all(&line).await.map_err(KernelError::Gone)
    }
}

/// A name of ours in the request directory.
pub fn request_path(name: &str) -> WorkspacePath {
    WorkspacePath::parse(name).expect("names of request files are constants without '/' and '..'")
}
