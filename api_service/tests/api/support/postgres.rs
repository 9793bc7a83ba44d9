//! A throw-away PostgreSQL cluster.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A cluster of its own; ended and removed when dropped.
pub struct Postgres {
    server: Child,
    port: u16,
    _files: TempDir,
}

impl Postgres {
    /// `None`, and a line that says why, where there is no PostgreSQL to start.
    pub fn start() -> Option<Self> {
        let Some(bin) = binaries() else {
            eprintln!("skipped: PostgreSQL (no initdb on PATH or in /usr/lib/postgresql/*/bin)");
            return None;
        };
        let files = TempDir::new().unwrap();
        // The server refuses to run as root: another user must be able to come in.
        std::fs::set_permissions(files.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = files.path().join("data");
        let mut initdb = as_ordinary_user(&bin.join("initdb"))?;
        let made = initdb
            .args(["--auth=trust", "--username=crucible", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(&data)
            .current_dir(files.path())
            .stdout(Stdio::null())
            .output()
            .unwrap();
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).trim().to_owned();
            eprintln!("skipped: PostgreSQL (initdb failed: {why})");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = as_ordinary_user(&bin.join("postgres"))?
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F", "-D"])
            .arg(&data)
            .arg("-k")
            .arg(files.path())
            .current_dir(files.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut cluster = Self { server, port, _files: files };
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(cluster.server.try_wait().unwrap().is_none(), "PostgreSQL ended at its start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(cluster)
    }

    pub fn url(&self) -> String {
        format!("postgres://crucible:database-nobody-logs-this@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT ends the cluster at once, with all its processes; a SIGKILL would leave them.
        let pid = self.server.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = self.server.wait();
    }
}

fn binaries() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    debian
        .chain(std::env::split_paths(&on_path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// The command, as `nobody` when we are root.
fn as_ordinary_user(program: &Path) -> Option<Command> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if !root {
        return Some(Command::new(program));
    }
    let setpriv = Command::new("setpriv").arg("--version").stdout(Stdio::null()).status();
    if !setpriv.is_ok_and(|status| status.success()) {
        eprintln!("skipped: PostgreSQL (root cannot start it, and there is no setpriv)");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    Some(command)
}
