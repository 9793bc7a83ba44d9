//! The gateway: users, tokens, sessions and runs over HTTP, in front of the worker that runs code.
//!
//! ```text
//! routes ──▶ contract   JSON to domain and back
//!   │   └──▶ extract    request to checked parts        middleware   around every request
//!   ▼
//! services ──▶ storage            SQLite or PostgreSQL
//!         └──▶ workers            those who run code, by gRPC
//! domain                          what all of them talk about
//! ```

pub mod config;
pub mod connections;
pub mod contract;
pub mod domain;
pub mod error;
pub mod extract;
pub mod metrics;
pub mod middleware;
pub mod operator;
pub mod routes;
pub mod services;
pub mod shutdown;
pub mod startup;
pub mod state;
pub mod storage;
pub mod telemetry;
pub mod workers;

use std::process::ExitCode;

use anyhow::Context;

use crate::config::Settings;
use crate::operator::AdminBootstrap;
use crate::startup::Application;

/// Runs the gateway with the settings of the environment, until SIGTERM or SIGINT.
pub fn run_from_env() -> ExitCode {
    match Settings::from_env().map_err(anyhow::Error::from).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api_service: {}", logging::plain_lines(&format!("{error:#}")));
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
