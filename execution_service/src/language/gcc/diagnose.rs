//! Reads what gcc and its programs said when they failed.

use super::Dialect;
use super::hints::hint;
use super::place::Place;
use crate::language::diagnostic::{Diagnostic, Kind};

/// What they say when they run into a limit, and the error number that it stands for, as `errno(3)` has
/// it. The driver ends with status 1 whatever became of the others.
const LIMITS: [(&str, i32); 4] = [
    ("out of memory", 12),
    ("Cannot allocate memory", 12),
    // SIGXFSZ: of the compiler or the assembler, and of the linker.
    ("error: File size limit exceeded signal terminated program", 27),
    ("error: ld terminated with signal 25", 27),
];

/// What went wrong: the first error that has a place, else what the linker or the driver said.
pub fn diagnose(dialect: &Dialect, said: &str) -> Diagnostic {
    let mut diagnostic = first_error(said).unwrap_or_else(|| unlocated(said));
    diagnostic.errno = LIMITS.iter().find(|(text, _)| said.contains(text)).map(|(_, errno)| *errno);
    diagnostic.missing_module = missing_header(&diagnostic.message);
    diagnostic.hint = hint(dialect, &diagnostic, said);
    diagnostic
}

/// In the linker's words an undefined name counts most: what else it says follows from it.
fn unlocated(said: &str) -> Diagnostic {
    let line = |part: &str| said.lines().find(|line| line.contains(part));
    let linker = ["undefined reference to", "multiple definition of", "cannot find -l"];
    match linker.iter().find_map(|part| line(part)) {
        Some(text) => Diagnostic::new(Kind::Compile, "link_error", text.trim()),
        None => {
            let text = line("error:").unwrap_or("the compiler failed");
            Diagnostic::new(Kind::Compile, "link_error", text.trim())
        }
    }
}

/// The first error. One in a header of the system has the place where the user's text led to it.
fn first_error(said: &str) -> Option<Diagnostic> {
    let mut led_there = None;
    for line in said.lines() {
        if let Some((place, message)) = read_error(line) {
            let at = led_there.filter(|_| !place.is_the_users()).unwrap_or(place);
            let mut diagnostic = Diagnostic::new(Kind::Compile, "compile_error", message);
            diagnostic.file = Some(at.file);
            diagnostic.line = Some(at.line);
            diagnostic.column = at.column;
            return Some(diagnostic);
        }
        led_there = leads(line).or(led_there);
    }
    None
}

/// Reads `file:line:column: error: message`, gcc's plain form.
fn read_error(line: &str) -> Option<(Place, &str)> {
    let (place, message) =
        line.split_once(": fatal error: ").or_else(|| line.split_once(": error: "))?;
    let place = Place::parse(place).filter(|place| place.column.is_some())?;
    Some((place, message))
}

/// `main.cpp:5:12:   required from here`, in the user's own text.
fn leads(line: &str) -> Option<Place> {
    let (place, _) = line.split_once(":   required from ")?;
    Place::parse(place).filter(Place::is_the_users)
}

/// `vector: No such file or directory`.
fn missing_header(message: &str) -> Option<String> {
    let name = message.strip_suffix(": No such file or directory")?;
    (!name.contains(' ')).then(|| String::from(name))
}

#[cfg(test)]
mod tests;
