//! What the attack is told.

use std::path::PathBuf;

use clap::Args;

/// The flag of `doctor` that makes the rest mean something.
pub const ATTACK: &str = "attack";

/// Runs the hostile corpus against a service of its own, or against a live one.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Attack this service instead of one of our own (http://host:port), as the user of
    /// CRUCIBLE_TOKEN; its users notice, and only its answers can be looked at
    #[arg(long, value_name = "URL", requires = ATTACK)]
    pub url: Option<String>,
    /// The token for --url; by the environment alone, because everybody can read a command line
    #[arg(skip = std::env::var("CRUCIBLE_TOKEN").ok())]
    pub token: Option<String>,
    /// The token of a second user (`CRUCIBLE_OTHER_TOKEN`), who must not notice
    #[arg(skip = std::env::var("CRUCIBLE_OTHER_TOKEN").ok())]
    pub other_token: Option<String>,
    /// Only the group of this name, entries with this in their name, and those that re-enact this CVE
    #[arg(long, value_name = "TEXT", requires = ATTACK)]
    pub only: Option<String>,
    /// One more file of attacks; see attacks/README.md. May be given many times
    #[arg(long, value_name = "FILE", requires = ATTACK)]
    pub also: Vec<PathBuf>,
    /// The result as JSON on standard output; progress goes to standard error
    #[arg(skip)]
    pub json: bool,
    /// Multiplies every time limit: an emulated machine is 30 times slower
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = patience,
          requires = ATTACK)]
    pub patience: f64,
    /// Name the entries and run none
    #[arg(long, requires = ATTACK)]
    pub list: bool,
}

fn patience(text: &str) -> Result<f64, String> {
    let factor = text.parse().map_err(|_| "must be a number")?;
    if (1.0..=1000.0).contains(&factor) { Ok(factor) } else { Err("must be 1 to 1000".into()) }
}
