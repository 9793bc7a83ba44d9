//! What can be said on the command line beside the settings.

use clap::{Args, Parser, Subcommand};

use crate::language::{Descriptor, Language};
use settings::Variable;

/// Runs code in sandboxes, for a gateway that asks over gRPC.
///
/// Every setting is an environment variable, and every one but the secret a flag, which wins.
/// INTERNAL_AUTH_TOKEN must be set; the rest has defaults that suit one machine.
#[derive(Debug, Parser)]
#[command(name = "execution_service", version, after_help = after_help())]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) action: Option<Action>,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Serve, until told to stop
    Serve,
    /// Try every wall around the sandboxes on this host, and say what to do about those that are missing
    #[command(long_about = DOCTOR)]
    Doctor(DoctorWanted),
}

/// How the walls are to be tried, and told of.
#[derive(Args, Clone, Debug, Default)]
pub struct DoctorWanted {
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Make the same attempts where no wall stands: each must be found missing, which shows that the test
    /// would notice
    #[arg(long)]
    pub control: bool,
}

/// What `doctor` does, at length.
pub const DOCTOR: &str = "\
Tries every wall around the sandboxes on this host, and says what to do about those that are missing.

It makes the sandboxes that the service would make with the present settings, has their walls attacked
from inside, and takes everything away again. Nothing is served and nothing stays. The service makes
the same attempts at each start.

Exit status: 0 if the service would start (perhaps with weaker walls, which it then says everywhere),
1 if it would refuse to.";

fn after_help() -> String {
    let variables = Language::executable_variables();
    format!(
        "\
By the environment alone, too:
  {variables}
                       the interpreter or compiler to use instead of the first suitable one on the PATH"
    )
}

/// The variables by which the operator names interpreters and compilers.
pub(super) fn executables() -> Vec<Variable> {
    let descriptors = Language::ALL.map(Language::descriptor);
    let same = |one: &&Descriptor, other: &&Descriptor| {
        one.executable_variable == other.executable_variable
    };
    let variable = |of_one: &[&Descriptor]| {
        let Descriptor { executable_variable, virtual_environment, .. } = of_one[0];
        let titles: Vec<&str> = of_one.iter().map(|descriptor| descriptor.title).collect();
        let titles = titles.join(" and ");
        let packages = match virtual_environment {
            Some(_) => "; that of a virtual environment brings its packages",
            None => "",
        };
        let meaning = format!(
            "What runs {titles}, by its whole path, instead of the first suitable one on the PATH{packages}"
        );
        Variable::other(executable_variable, &meaning)
    };
    descriptors.chunk_by(same).map(variable).collect()
}
