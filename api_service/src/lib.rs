//! The gateway: users, tokens, sessions and runs over HTTP, in front of the worker that runs code.
//!
//! ```text
//! http       routes, JSON, and what is around every request
//!   ▼
//! services ──▶ storage            SQLite or PostgreSQL
//!         └──▶ execution_client   the worker, by gRPC
//! domain                          what all of them talk about
//! ```

pub mod config;
pub mod domain;
pub mod execution_client;
pub mod http;
pub mod metrics;
pub mod operator;
pub mod services;
pub mod shutdown;
pub mod startup;
pub mod state;
pub mod storage;
pub mod telemetry;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use settings::Refused;

use crate::config::Settings;
use crate::operator::AdminBootstrap;
use crate::startup::Application;

/// Runs the gateway with the settings of the command line and the environment, until SIGTERM or
/// SIGINT.
pub fn run_from_command_line(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Settings::from_command_line(arguments) {
        Ok(settings) => run_with(settings),
        Err(help_or_error) => help_or_error.exit(),
    }
}

/// Runs the gateway with the settings of the environment, until SIGTERM or SIGINT.
pub fn run_from_env() -> ExitCode {
    run_with(Settings::from_env())
}

fn run_with(settings: Result<Settings, Refused>) -> ExitCode {
    let settings = match settings {
        Ok(settings) => settings,
        Err(refused) => return refused.tell("api_service"),
    };
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api_service: {}", ::telemetry::plain_lines(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings) -> anyhow::Result<()> {
    telemetry::start(&settings).context("logging cannot be set up")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(async {
        show_once(&operator::ensure_admin(&settings).await?);
        let application = Application::build(settings).await?;
        application
            .run_until_stopped(async {
                match shutdown::signalled().await {
                    Ok(signal) => tracing::info!(signal, "ending"),
                    Err(error) => tracing::error!(%error, "signals cannot be waited for; ending"),
                }
            })
            .await
    })
}

/// On standard output and not in the log, which is kept and sent to other machines.
fn show_once(admin: &AdminBootstrap) {
    match admin {
        AdminBootstrap::Existing | AdminBootstrap::FromEnvironment { username: _ } => {}
        AdminBootstrap::Generated { username, password } => {
            println!("first user: {username}, password: {password} (shown this once)");
        }
    }
}
