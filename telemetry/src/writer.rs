//! Where log records leave the process.

use std::io::{self, Stderr, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::plain::{is_plain, push_escape};

/// Standard error, for records that come whole, each with its line feed at the end. Of a record that is
/// JSON the escapes are JSON.
#[derive(Clone, Copy, Debug)]
pub struct PlainStderr {
    /// Lets the sequences through by which `tracing-subscriber` sets colours. Those that come with a value
    /// are the business of [`crate::plain_fields`].
    pub colours: bool,
}

impl<'a> MakeWriter<'a> for PlainStderr {
    type Writer = Plain<Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Plain { colours: self.colours, to: io::stderr() }
    }
}

/// See [`PlainStderr`].
#[derive(Debug)]
pub struct Plain<W> {
    colours: bool,
    to: W,
}

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        self.to.write_all(escaped(&text, self.colours).as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn escaped(record: &str, colours: bool) -> String {
    let (mut rest, end) = match record.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (record, ""),
    };
    let mut escaped = String::with_capacity(record.len() + 16);
    while let Some(c) = rest.chars().next() {
        let colour = if colours { colour_at_start(rest) } else { 0 };
        let (taken, after) = rest.split_at(colour.max(c.len_utf8()));
        if colour > 0 || is_plain(c) {
            escaped.push_str(taken);
        } else {
            push_escape(&mut escaped, c);
        }
        rest = after;
    }
    escaped + end
}

/// The length of the sequence that sets a colour (ECMA-48, SGR) at the start of `text`; 0 for none.
fn colour_at_start(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\x1b[") else {
        return 0;
    };
    let length = parameters.bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
    if parameters[length..].starts_with('m') { "\x1b[".len() + length + "m".len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const HOSTILE: &str =
        "\x1b[31mred\x1b[2J\x1b]0;owned\x07\u{9b}31m\0\r\nINFO forged\u{202e}\u{2028}\x7f";

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a record with text of others in its message, in both kinds of values and in its span looks
    /// like.
    fn logged(json: bool, colours: bool) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let writer = move || Plain { colours, to: to.clone() };
        let layer = tracing_subscriber::fmt::layer();
        let layer = if json {
            layer.json().flatten_event(true).with_writer(writer).boxed()
        } else {
            layer.fmt_fields(crate::plain_fields()).with_ansi(colours).with_writer(writer).boxed()
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _span = tracing::info_span!("span", text = %HOSTILE).entered();
            let error = io::Error::other(HOSTILE);
            tracing::info!(text = HOSTILE, shown = %HOSTILE, %error, "{HOSTILE}");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_record_is_one_line_without_effect() {
        for json in [false, true] {
            let record = logged(json, false);
            let line = record.strip_suffix('\n').expect("a line");
            assert!(line.chars().all(is_plain), "{line:?}");
        }
    }

    #[test]
    fn a_record_of_json_says_what_was_logged() {
        let record: serde_json::Value = serde_json::from_str(&logged(true, false)).unwrap();
        assert_eq!((&record["text"], &record["message"]), (&HOSTILE.into(), &HOSTILE.into()));
    }

    #[test]
    fn only_our_own_colours_are_colours() {
        let record = logged(false, true);
        let line = record.strip_suffix('\n').expect("a line");
        assert!(line.contains('\x1b'), "{line:?}");
        for part in line.split('\x1b').skip(1) {
            let (parameters, _) = part.split_once('m').expect("a colour");
            assert!(parameters.starts_with('['), "{line:?}");
        }
        assert!(!line.contains(|c: char| c != '\x1b' && !is_plain(c)), "{line:?}");
        assert!(line.contains("31mred") && !line.contains("\x1b[31mred"), "{line:?}");
    }

    proptest! {
        #[test]
        fn nothing_comes_through(text: String) {
            let escaped = escaped(&text, false);
            let line = escaped.strip_suffix('\n').unwrap_or(&escaped);
            prop_assert!(line.chars().all(is_plain));
        }
    }
}
