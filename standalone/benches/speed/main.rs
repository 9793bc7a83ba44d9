//! What a confined run costs against an unconfined process: `cargo bench`.
//!
//! ```text
//! service        the launcher with both services, in a directory of its own
//! ├── packages       the Python environment that `cargo run` made, or makes it
//! └── caller         one signed-in caller on one kept connection
//! bare           the same source text in a process without any walls
//! ├── interpreters   the real executables, and of all Pythons the one that starts fastest
//! └── drawing        one interpreter that lives on, for plots
//! workload       what is run on both, in turns
//! ├── single         one caller, one run after the other
//! ├── callers        many at once
//! ├── stream         what a program writes, and when it arrives
//! ├── transfer       files up and down, against a copy
//! ├── command        a command in a session
//! ├── terminal       a key and its echo
//! └── idle           many sessions that do nothing
//! soak           thousands of mixed runs, and what they leave behind
//! ```
//! Every output is checked. Anything that is not as expected ends it with the answer on the screen.

mod answer;
mod bare;
mod caller;
mod comparison;
mod crowd;
mod drawing;
mod events;
mod figures;
mod footprint;
mod interpreters;
mod machine;
mod memory;
mod name;
mod options;
mod packages;
#[path = "../../tests/machine/processes.rs"]
mod processes;
mod service;
mod soak;
mod table;
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use serde_json::json;

use crate::interpreters::Interpreters;
use crate::machine::Machine;
use crate::options::Options;
use crate::service::Service;
use crate::workload::Stage;

/// Longer than anything takes that is made ready after the start without another process appearing:
/// a Python that imports pandas and matplotlib.
const WARM: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> anyhow::Result<ExitCode> {
    if options.list {
        table::names();
        return Ok(ExitCode::SUCCESS);
    }
    // Before anything of ours runs.
    let machine = Machine::look()?;
    let available = memory::available()?;
    let interpreters = Interpreters::find(&options.launcher)?;
    table::machine(&machine, &interpreters);

    let service = Service::start(options, &interpreters)?;
    // The first sandboxes are still being made when it says that it is ready.
    footprint::settle(service.pid(), WARM);
    if let Some(runs) = options.soak {
        let report = soak::run(&service, &interpreters, runs)?;
        report.print();
        write(options, &json!({"machine": machine, "soak": report}))?;
        return Ok(if report.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }

    let stage = Stage {
        service: &service,
        interpreters: &interpreters,
        effort: options.effort(),
        available,
    };
    let mut comparisons = Vec::new();
    for name in options.chosen() {
        if let Some(reason) = interpreters.lacks(name.languages()) {
            eprintln!("skipped: {} ({reason})", name.text());
            continue;
        }
        eprintln!("… {}", name.text());
        let found = stage.play(name).with_context(|| format!("in {}", name.text()))?;
        comparisons.push(found);
    }
    table::comparisons(&comparisons, options.verbose);
    let settings = &options.settings;
    let quick = options.quick;
    let interpreters = interpreters.versions();
    write(
        options,
        &json!({"machine": machine, "interpreters": interpreters, "settings": settings,
                "quick": quick, "workloads": comparisons}),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn write(options: &Options, report: &serde_json::Value) -> anyhow::Result<()> {
    let Some(path) = &options.json else {
        return Ok(());
    };
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(path, text + "\n").with_context(|| format!("{}", path.display()))
}
