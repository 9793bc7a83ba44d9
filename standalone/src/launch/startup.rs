//! The launcher's one pass through everything, top to bottom.

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use ::settings::{Given, Refused};
use anyhow::{Context, bail};
use api_service::operator;
use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::keeper::{Keeper, StartFailed};
use super::python::Python;
use super::service::Service;
use super::view::View;
use super::{packages, python, report, stop};
use crate::data_directory::DataDirectory;
use crate::provision;
use crate::settings::{Settings, WorkerPlace};

/// How long both services may take to answer for the first time; a cold disk and four interpreters
/// to warm are a few seconds.
const FIRST_ANSWER: Duration = Duration::from_secs(90);

/// Starts everything and returns when it has been told to stop and nothing is left.
pub fn run(given: &Given) -> ExitCode {
    // Root's sandboxes are other users and have to read what is installed for them. Whatever is
    // nobody's business is made with its own mode.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    match start(given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<Refused>() {
            Ok(refused) => refused.tell("crucible"),
            Err(error) => {
                report::failure(&error);
                ExitCode::FAILURE
            }
        },
    }
}

fn start(given: &Given) -> anyhow::Result<()> {
    let root = rustix::process::geteuid().is_root();
    let settings = Settings::of_process(given, root)?;
    let directory = DataDirectory::open(&settings.data_directory, root)?;
    if let Some(left_behind) = directory.left_behind() {
        report::left_behind(left_behind);
    }
    provision::sweep(directory.path())?.iter().for_each(|begun| report::half_made(begun));
    let launcher = std::env::current_exe().context("the path of this executable is unknown")?;
    let python = python::prepare(&settings, &directory, &launcher, root)?;
    let environment = Environment::gather(&settings, &directory, &python)?;

    // One thread on purpose: the kernel ends the services together with the thread that started
    // them, so that has to be one which lives as long as this process.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(&settings, &directory, &environment, &python));
    let emptied = directory.empty_run();
    outcome?;
    Ok(emptied?)
}

async fn serve(
    settings: &Settings,
    directory: &DataDirectory,
    environment: &Environment,
    python: &Python,
) -> anyhow::Result<()> {
    let stopping = stop::on_signal()?;
    let gateway_settings = environment.settings()?;
    let admin = operator::ensure_admin(&gateway_settings).await?;
    let told = Cell::new(false);
    let (first_answer, announced) = (CancellationToken::new(), CancellationToken::new());
    let gateway = Service::new("gateway", environment.gateway())?;
    let worker = match settings.worker {
        WorkerPlace::Private | WorkerPlace::Local(_) => {
            Some(Service::new("worker", environment.worker())?)
        }
        WorkerPlace::Elsewhere(_) => None,
    };
    // The gateway ends what still runs and tells those who wait: until it has, the worker must be there.
    let gateway_ended = CancellationToken::new();
    let keep = |service, told: &CancellationToken| {
        Keeper::new(service, first_answer.clone(), told.clone()).keep()
    };

    let announce = async {
        let view = View::of(&gateway, &gateway_settings, FIRST_ANSWER).await?;
        first_answer.cancel();
        let process = std::process::id();
        directory.describe_holder(&format!("pid {process}, {}", view.url(settings.host)))?;
        let token = operator::operator_token(&gateway_settings).await?;
        report::ready(settings, python.bare.as_deref(), directory, &view, &admin, &token);
        told.set(true);
        announced.cancel();
        anyhow::Ok(())
    };
    let announce = async {
        tokio::select! {
            announced = announce => announced.inspect_err(|_| stopping.cancel()),
            () = stopping.cancelled() => Ok(()),
        }
    };
    let gateway = async {
        let kept = keep(gateway.clone(), &stopping).await;
        gateway_ended.cancel();
        kept
    };
    let worker = async {
        match worker.clone() {
            Some(worker) => keep(worker, &gateway_ended).await.inspect_err(|_| stopping.cancel()),
            None => Ok(()),
        }
    };
    let coming = async {
        // Not before everything serves: a first answer is worth more than some seconds of a download.
        tokio::select! {
            () = announced.cancelled() => {}
            () = stopping.cancelled() => {}
        }
        if let Some(coming) = &python.coming {
            packages::bring(coming, &stopping).await;
        }
    };
    let (gateway, worker, outcome, ()) = tokio::join!(gateway, worker, announce, coming);
    if !told.get() {
        // The next start finds the administrator and cannot tell the password.
        report::administrator(&admin);
    }
    for kept in [gateway, worker] {
        if let Err(StartFailed { service, status }) = kept {
            bail!("the {service} ended before it was ready ({status}); its own message is above");
        }
    }
    outcome
}
