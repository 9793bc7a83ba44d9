//! What the operator reads. Colour on a terminal, plain text elsewhere (`anstream` decides). What others
//! have said (a worker on another machine, an interpreter, an installer) is shown without effect.

use std::path::Path;
use std::time::Duration;

use anstream::{eprintln, println};
use anstyle::{AnsiColor, Style};
use api_service::operator::AdminBootstrap;
use execution_service::language;
use execution_service::language::toolchain::Toolchain;
use telemetry::{plain, plain_lines};

use super::view::{Language, Missing, View, Wall};
use crate::data_directory::{DataDirectory, LeftBehind};
use crate::settings::Settings;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const CAUTION: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Packages that are named when the languages are listed; /v1/languages has them all.
const NOTABLE: [&str; 4] = ["numpy", "pandas", "matplotlib", "ipython"];

/// The one thing that kept the launcher, or one of its helpers, from doing its work.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("{BAD}error{BAD:#}: {}", plain_lines(&format!("{error:#}")));
}

/// A killed launcher's sockets and addresses are removed.
pub(super) fn left_behind(LeftBehind { holder, files }: &LeftBehind) {
    for file in files {
        eprintln!("crucible: removed {}, left by a killed launcher ({holder})", file.display());
    }
}

/// A Python environment that a killed launcher had begun is removed.
pub(super) fn half_made(environment: &Path) {
    let environment = environment.display();
    eprintln!("crucible: removed {environment}, which a killed launcher had not completed");
}

/// Rich Python is about to be made.
pub(super) fn provisioning(python: &Toolchain) {
    let Toolchain { executable, version, .. } = python;
    println!(
        "Installing numpy, pandas, matplotlib and IPython for the sandboxes' Python {} \
         ({}), once; --no-provision skips it (PYTHON_PACKAGES chooses what comes later)",
        plain(version),
        plain(&executable.display().to_string())
    );
}

/// One step of installing the packages that are called `name`.
pub(super) fn packages_step(name: &str, step: &str) {
    println!("  {FAINT}packages ({}): {}{FAINT:#}", plain(name), plain(step));
}

/// What is called `name` is being installed while everything serves.
pub(super) fn packages_coming(name: &str) {
    println!(
        "crucible: installing the {} packages for Python; until then programs have fewer",
        plain(name)
    );
}

/// It is there.
pub(super) fn packages_complete(name: &str, took: Duration) {
    println!(
        "{GOOD}crucible: the {} packages for Python are there{GOOD:#} (after {} s): sessions and runs that begin \
         from now on have them",
        plain(name),
        took.as_secs()
    );
}

/// It could not be had.
pub(super) fn packages_failed(name: &str, reason: &str, pause: Duration) {
    eprintln!(
        "{CAUTION}crucible: the {} packages for Python could not be installed{CAUTION:#}: {}; trying again in {} s",
        plain(name),
        plain_lines(reason),
        pause.as_secs()
    );
}

/// Rich Python could not be made.
pub(super) fn bare_python(reason: &str) {
    println!(
        "{CAUTION}Python runs without numpy, pandas, matplotlib{CAUTION:#}: {}",
        plain_lines(reason)
    );
}

/// Everything runs. `bare` is why Python has no packages, if that was not asked for.
pub(super) fn ready(
    settings: &Settings,
    bare: Option<&str>,
    directory: &DataDirectory,
    view: &View,
    admin: &AdminBootstrap,
    token: &str,
) {
    let url = view.url(settings.host);
    println!();
    println!(
        "{STRONG}Crucible {}{STRONG:#} is ready on {GOOD}{url}{GOOD:#}",
        env!("CARGO_PKG_VERSION")
    );
    println!("  every call  {url}/docs");
    println!("  data        {}", plain(&directory.path().display().to_string()));
    isolation(view);
    println!();
    view.languages.languages.iter().for_each(language);
    view.doctor.missing.iter().for_each(missing);
    // Once more: what was said first is far above by now.
    bare.into_iter().for_each(bare_python);
    administrator(admin);
    println!();
    if let Some(call) = curl(&url, token, view) {
        println!("Paste this (the token is the administrator's and expires):");
        println!("{call}");
        println!();
    }
}

fn isolation(view: &View) {
    let isolation = &view.doctor;
    let style = if isolation.level == "full" { GOOD } else { CAUTION };
    println!("  isolation   {style}{}{style:#}", plain(&isolation.level));
    weaker(&isolation.walls);
}

/// Walls are often weaker for one and the same reason, and have the same remedy.
fn weaker(walls: &[Wall]) {
    let mut told: Vec<&str> = Vec::new();
    let mut is_new = |text| {
        let new = !told.contains(&text);
        told.push(text);
        new
    };
    for Wall { state, detail, remedy, name: _ } in walls {
        let Some(remedy) = remedy else { continue };
        if is_new(detail) {
            let alike = walls.iter().filter(|wall| wall.detail == *detail);
            let names: Vec<&str> = alike.map(|wall| wall.name.as_str()).collect();
            println!(
                "              {}",
                plain(&format!("{}: {state}: {detail}", names.join(", ")))
            );
        }
        if is_new(remedy) {
            println!("              {FAINT}{}{FAINT:#}", plain(remedy));
        }
    }
}

fn language(Language { name, version, packages }: &Language) {
    let notable: Vec<String> = NOTABLE
        .into_iter()
        .filter_map(|package| Some(format!("{package} {}", packages.get(package)?)))
        .collect();
    let (name, version, notable) = (plain(name), plain(version), notable.join(", "));
    let line = format!("  {GOOD}{name:<10}{GOOD:#} {version:<9} {}", plain(&notable));
    println!("{}", line.trim_end());
}

fn missing(Missing { name, reason, remedy }: &Missing) {
    println!("  {CAUTION}{:<10} not here{CAUTION:#}  {}", plain(name), plain(reason));
    println!("          {}", plain(remedy));
}

/// Who may sign in, if that is new.
pub(super) fn administrator(admin: &AdminBootstrap) {
    match admin {
        AdminBootstrap::Existing => {}
        AdminBootstrap::FromEnvironment { username } => {
            println!();
            println!(
                "The administrator {STRONG}{username}{STRONG:#} was made from ADMIN_USERNAME and ADMIN_PASSWORD."
            );
        }
        AdminBootstrap::Generated { username, password } => {
            println!();
            println!(
                "The administrator was made. Shown this once: username {STRONG}{username}{STRONG:#}, password {STRONG}{password}{STRONG:#}"
            );
        }
    }
}

/// A run in the first language that is really here, and of which this build knows an example: the
/// worker may be another's.
fn curl(url: &str, token: &str, view: &View) -> Option<String> {
    let here = view.languages.languages.iter();
    let language =
        here.filter_map(|Language { name, .. }| language::Language::find(name)).next()?;
    let code = serde_json::Value::from(language.descriptor().example);
    Some(format!(
        "curl -s {url}/v1/code_interpreter/run -H 'Authorization: Bearer {token}' \
         -H 'Content-Type: application/json' -d '{{\"language\": \"{language}\", \"code\": {code}}}'"
    ))
}

/// A service died and will be started again.
pub(super) fn restarting(service: &str, status: &str, pause: Duration) {
    let seconds = pause.as_secs_f32();
    eprintln!(
        "{CAUTION}crucible: the {service} died ({status}); starting it again in {seconds:.1} s{CAUTION:#}"
    );
}
