//! What is wrong with one field of a request.

/// One field and what to do about it.
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
        Self { loc: loc.into(), msg: msg.into() }
    }
}

/// Collects the errors of many fields, so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes one more error.
    pub fn push(&mut self, loc: impl Into<String>, msg: impl Into<String>) {
        self.0.push(FieldError::new(loc, msg));
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
