//! The values of a record for people.

use std::fmt::Debug;

use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::plain::plain;

/// How the values of a record are written where it may have colours: theirs become visible here, because
/// behind this nobody can tell them from ours.
pub fn plain_fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|writer: &mut Writer<'_>, field: &Field, value: &dyn Debug| {
        let (name, text) = (field.name(), format!("{value:?}"));
        match name {
            "message" => {}
            _ if writer.has_ansi_escapes() => {
                write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?
            }
            _ => write!(writer, "{name}=")?,
        }
        writer.write_str(&plain(&text))
    })
    .delimited(" ")
}
