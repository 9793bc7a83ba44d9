//! The process that translates: one source on standard input, one answer on standard output.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::{Options, SyntaxError, Transpiled, transpile};

/// The first argument that asks for the translation, and one that says `keep_imports`;
/// `runtimes/typescript/translate.cjs` gives them.
const WORD: &str = "typescript";
const KEEP_IMPORTS: &str = "--keep-imports";

/// Bytes of source; what a program or module has more is refused.
const LARGEST: u64 = 16 << 20;

/// The stack of the thread that parses: some ten thousand levels of nesting. What needs more ends the process.
const STACK: usize = 64 << 20;

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Program(Transpiled),
    Error(SyntaxError),
}

/// Translates what is on standard input, if the arguments say so. To be called before they are read in earnest: a
/// program waits for it. Ends the process with a signal where the source is nested too deeply.
pub fn serve_if_asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    Some(match answer(arguments.any(|argument| argument == KEEP_IMPORTS)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("typescript: {error}");
            ExitCode::FAILURE
        }
    })
}

fn answer(keep_imports: bool) -> io::Result<()> {
    let mut source = Vec::new();
    let mut input = io::stdin().lock();
    input.by_ref().take(LARGEST + 1).read_to_end(&mut source)?;
    io::copy(&mut input, &mut io::sink())?; // whoever writes to us must come to the end of it
    let answer = match translate(source, Options { keep_imports })? {
        Ok(program) => Answer::Program(program),
        Err(error) => Answer::Error(error),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &answer)?;
    out.flush()
}

fn translate(source: Vec<u8>, options: Options) -> io::Result<Result<Transpiled, SyntaxError>> {
    let refused = |message| Err(SyntaxError { message, line: 1, column: 1 });
    if source.len() as u64 > LARGEST {
        return Ok(refused(format!("A program may have {LARGEST} bytes")));
    }
    let source = String::from_utf8(source).map_err(io::Error::other)?;
    let parser = std::thread::Builder::new().stack_size(STACK);
    let thread = parser.spawn(move || transpile(&source, options))?;
    // A fault of ours or the parser's, of which standard error has the account.
    Ok(thread.join().unwrap_or_else(|_| refused(String::from("This cannot be translated here"))))
}
