//! What a service needs to be started, and started again in the same place.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::environment::Variables;

/// One of the two services.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// `gateway` or `worker`: the hidden subcommand, and what the operator reads.
    pub(super) name: &'static str,
    launcher: PathBuf,
    variables: Variables,
}

impl Service {
    pub(super) fn new(name: &'static str, variables: Variables) -> io::Result<Self> {
        let launcher = std::env::current_exe()?;
        Ok(Self { name, launcher, variables })
    }

    /// Starts the process. Its environment is exactly the service's variables.
    pub(super) fn spawn(&self) -> io::Result<Child> {
        let mut variables = self.variables.clone();
        // Port 0 was for the first start: clients know the port by now.
        if let (Some(port), Some(address)) = (variables.get_mut("PORT"), self.address()) {
            *port = OsString::from(address.port().to_string());
        }
        Command::new(&self.launcher)
            .arg(self.name)
            .env_clear()
            .envs(variables)
            .env("LAUNCHER_PID", std::process::id().to_string())
            .stdin(Stdio::null())
            // A group of its own: Ctrl-C is for the launcher, which then ends both.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    /// The TCP address that the service has bound, once it has written its `ADDRESS_FILE`.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let file = self.variables.get("ADDRESS_FILE")?;
        fs::read_to_string(file).ok()?.trim().parse().ok()
    }
}
