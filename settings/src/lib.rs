//! How the gateway, the worker and the launcher are configured: one way for all three.
//!
//! A program says once what it can be told, as fields of a struct that derives [`clap::Args`]: name,
//! variable, default, unit. From that come the command line, `--help`, the documentation and the
//! check of the values. A flag wins over its variable, a variable over the default; secrets come by
//! the environment alone, because everybody on the machine can read a command line.
//!
//! ```text
//! arguments ─▶ command_line ─▶ Given ─┐
//! environment ────────────────────────┴─▶ read ─▶ the struct, or Refused: every problem at once
//! ```

mod command_line;
mod read;
mod refused;
mod secret;
mod spelling;
pub mod values;
mod variable;

pub use command_line::{Given, command_line};
pub use read::{Settings, environment, read, read_spelt};
pub use refused::Refused;
pub use secret::{Secret, SecretError, header_secret, secret};
pub use spelling::misspelt;
pub use variable::{Variable, variables};
