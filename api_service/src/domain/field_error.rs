//! What is wrong with one field of a request.

/// Longest path that is repeated, in characters.
const MAX_LOC: usize = 300;
/// Longest sentence about a field, in characters; the longest of ours lists the fields of a run.
const MAX_MSG: usize = 500;
/// Most fields that are named at once: a request can have a thousand files.
const MAX_ERRORS: usize = 50;

/// One field and what to do about it. Names of fields are the caller's to choose, as long as a body may
/// be: an error is short, whatever it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where, as a dotted path: `files.data/in.csv`.
    pub loc: String,
    /// What is wrong and what would be right.
    pub msg: String,
}

impl FieldError {
    /// Names the field at `loc` and the remedy.
    pub fn new(loc: impl Into<String>, msg: impl Into<String>) -> Self {
        Self { loc: short(loc.into(), MAX_LOC), msg: short(msg.into(), MAX_MSG) }
    }
}

fn short(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Collects the errors of many fields, so that a caller learns of all of them at once; of very many,
/// of the first.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes one more error.
    pub fn push(&mut self, loc: impl Into<String>, msg: impl Into<String>) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(FieldError::new(loc, msg));
        }
    }

    /// The value, or `None` with the error noted under `loc`.
    pub fn keep<T, M: Into<String>>(
        &mut self,
        loc: impl Into<String>,
        parsed: Result<T, M>,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(msg) => {
                self.push(loc, msg);
                None
            }
        }
    }

    /// `value` when nothing was noted and it is there.
    ///
    /// # Errors
    /// Everything that was noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<FieldError>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) | None => Err(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldError, FieldErrors};

    #[test]
    fn an_error_is_short_whatever_it_is_about() {
        let FieldError { loc, msg } = FieldError::new("ü".repeat(1 << 20), "ü".repeat(1 << 20));
        assert!(loc.len() < 1024 && loc.ends_with('…'));
        assert!(msg.len() < 2048 && msg.ends_with('…'));
        let FieldError { loc, msg } = FieldError::new("files.ü", "is bad");
        assert_eq!((&*loc, &*msg), ("files.ü", "is bad"));
    }

    #[test]
    fn the_first_of_very_many_are_told() {
        let mut errors = FieldErrors::default();
        for number in 0..1000 {
            errors.push(number.to_string(), "is bad");
        }
        let told = errors.finish(Some(())).unwrap_err();
        assert_eq!((told.len(), &*told[0].loc), (50, "0"));
    }
}
