//! The text frames of `crucible.tty.v1`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::process::{MAX_SIDE, ProcessEnd, ProcessStatus, TerminalSize};

/// What a text frame says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The terminal has another size.
    Resize(TerminalSize),
    /// All that was shown before this byte was taken.
    Acknowledged(u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame {
    resize: Option<Size>,
    ack: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    cols: u16,
    rows: u16,
}

/// What a frame says, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<Said, String> {
    const RULE: &str = "a text frame is {\"resize\": {\"cols\": …, \"rows\": …}} or {\"ack\": …}";
    match serde_json::from_str(text) {
        Ok(Frame { resize: Some(Size { cols, rows }), ack: None }) => {
            let fits = |side: u16| (1..=MAX_SIDE).contains(&side);
            if fits(cols) && fits(rows) {
                Ok(Said::Resize(TerminalSize { cols, rows }))
            } else {
                Err(format!("cols and rows must be from 1 to {MAX_SIDE}"))
            }
        }
        Ok(Frame { resize: None, ack: Some(offset) }) => Ok(Said::Acknowledged(offset)),
        Ok(_) | Err(_) => Err(RULE.to_owned()),
    }
}

/// The first frame: where the output begins, and how many bytes are missing before it.
pub(super) fn attached(offset: u64, missing: u64) -> String {
    let gap = if missing > 0 { json!({"bytes": missing}) } else { Value::Null };
    json!({"attached": {"offset": offset, "gap": gap}}).to_string()
}

/// Bytes have made way: what follows begins here.
pub(super) fn jump(offset: u64) -> String {
    json!({"gap": {"offset": offset}}).to_string()
}

/// The last frame.
pub(super) fn exit(end: &ProcessEnd) -> String {
    let status = ProcessStatus::of(Some(end)).name();
    let how = json!({"status": status, "exit_code": end.exit_code, "signal": end.signal});
    json!({"exit": how}).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_says_one_thing() {
        let size = TerminalSize { cols: 132, rows: 1000 };
        let resize = r#"{"resize": {"cols": 132, "rows": 1000}}"#;
        assert_eq!(read(resize), Ok(Said::Resize(size)));
        assert_eq!(read(r#"{"ack": 7}"#), Ok(Said::Acknowledged(7)));
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"ack": -1}"#,
            r#"{"ack": 1, "more": 2}"#,
            r#"{"ack": 1, "resize": {"cols": 1, "rows": 1}}"#,
            r#"{"resize": {"cols": 0, "rows": 1}}"#,
            r#"{"resize": {"cols": 1, "rows": 1001}}"#,
            r#"{"resize": {"cols": 1}}"#,
            r#"{"exit": {}}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_or_none(text in ".{0,80}") {
            if let Ok(Said::Resize(TerminalSize { cols, rows })) = read(&text) {
                prop_assert!(cols <= MAX_SIDE && rows <= MAX_SIDE && cols > 0 && rows > 0);
            }
        }
    }
}
