//! Names of files: bytes, and how they are written in URLs and in JSON.

use std::fmt::Write;

/// Longest path, in bytes.
pub const MAX_PATH: usize = 4095;
/// Longest name in it, in bytes.
pub const MAX_COMPONENT: usize = 255;

/// A path below the workspace, in bytes: relative, without `.`, `..` and empty names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(Vec<u8>);

/// How a path is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Utf8,
    /// As in a URL, for names that are no text.
    Percent,
}

impl Encoding {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Utf8, Self::Percent];

    /// What callers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Percent => "percent",
        }
    }

    /// The one that is called so.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name)
    }
}

/// A path, or what a link leads to, as JSON has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathText {
    /// In the encoding.
    pub text: String,
    /// `percent` only for what is no UTF-8.
    pub encoding: Encoding,
}

impl PathText {
    /// Of any bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: text.to_owned(), encoding: Encoding::Utf8 },
            Err(_) => Self { text: encoded(bytes), encoding: Encoding::Percent },
        }
    }
}

impl FilePath {
    /// Checks a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(path: Vec<u8>) -> Result<Self, &'static str> {
        if path.is_empty() {
            return Err("must name a file");
        }
        if path.len() > MAX_PATH {
            return Err("must have at most 4095 bytes");
        }
        if path.contains(&0) {
            return Err("must not contain a NUL character");
        }
        if path.starts_with(b"/") {
            return Err("must be relative to the workspace, not absolute");
        }
        for name in path.split(|byte| *byte == b'/') {
            match name {
                b"" => return Err("must name a file: no empty names, no slash at its end"),
                b"." | b".." => return Err("must not contain '..' or '.' as a name"),
                name if name.len() > MAX_COMPONENT => {
                    return Err("must have at most 255 bytes between two slashes");
                }
                _ => {}
            }
        }
        Ok(Self(path))
    }

    /// As it stands in a URL: percent-encoded, with slashes between its names. An encoded slash is one as well: clients
    /// that are made from the API's document encode them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_url(path: &str) -> Result<Self, &'static str> {
        Self::parse(decoded(path)?)
    }

    /// As JSON has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_text(text: &str, encoding: Encoding) -> Result<Self, &'static str> {
        match encoding {
            Encoding::Utf8 => Self::parse(Vec::from(text)),
            Encoding::Percent => Self::from_url(text),
        }
    }

    /// What is called `name` in `directory`, or in the workspace.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn below(directory: Option<&Self>, name: &[u8]) -> Result<Self, &'static str> {
        // By itself first: what is absolute would be hidden behind a directory.
        let name = Self::parse(Vec::from(name))?;
        match directory {
            Some(directory) => Self::parse([directory.as_bytes(), b"/", name.as_bytes()].concat()),
            None => Ok(name),
        }
    }

    /// As it is on disk.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last of its names.
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or(&self.0)
    }
}

/// Percent-decoded bytes of a URL's path or query; a plus is a plus.
///
/// # Errors
/// What is wrong with it.
pub fn decoded(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digit = |at: usize| after.get(at).and_then(|byte| (*byte as char).to_digit(16));
            let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                return Err("must have two hexadecimal digits after each '%'");
            };
            bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Ok(bytes)
}

/// Bytes as they stand in a URL's path: letters, digits, `-._~` and slashes as they are.
pub fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            text.push(*byte as char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in [
            "", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "%2e%2e/a", "%00", "%", "%4",
            "%zz", "a/%2E", "%2f", "..%2fa",
        ] {
            assert!(FilePath::from_url(bad).is_err(), "{bad}");
        }
        for (good, bytes) in [
            ("a", &b"a"[..]),
            ("a%20b/%FF%0a", b"a b/\xff\n"),
            ("a%2Fb", b"a/b"),
            ("a+b", b"a+b"),
            ("100%25", b"100%"),
            ("...", b"..."),
        ] {
            assert_eq!(FilePath::from_url(good).map(|path| path.0), Ok(Vec::from(bytes)), "{good}");
        }
        assert!(
            FilePath::parse(vec![b'x'; 255]).is_ok() && FilePath::parse(vec![b'x'; 256]).is_err()
        );
        assert!(FilePath::parse(b"a/".repeat(2048)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_path_can_be_written_in_a_url_and_in_json(bytes: [u8; 12], length in 0..12_usize) {
            let bytes = Vec::from(&bytes[..length]);
            if let Ok(path) = FilePath::parse(bytes.clone()) {
                assert_eq!(FilePath::from_url(&encoded(&bytes)), Ok(path.clone()));
                let PathText { text, encoding } = PathText::of(&bytes);
                assert_eq!(FilePath::from_text(&text, encoding), Ok(path.clone()));
                let is_text = String::from_utf8(bytes.clone()).is_ok();
                assert_eq!(encoding == Encoding::Utf8, is_text);
                assert!(bytes.ends_with(path.name()) && !path.name().contains(&b'/'));
            }
            assert_eq!(decoded(&encoded(&bytes)), Ok(bytes));
        }

        #[test]
        fn any_url_is_a_path_that_stays_below_or_none(url in "[a-c./%0-9A-F~]{0,40}|.*") {
            if let Ok(path) = FilePath::from_url(&url) {
                let mut names = path.as_bytes().split(|byte| *byte == b'/');
                let plain = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
                assert!(names.all(plain));
                assert_eq!(FilePath::parse(decoded(&url).unwrap()), Ok(path));
            }
        }

        #[test]
        fn what_is_below_a_directory_stays_there(name in "[a./]{0,9}|.*") {
            let directory = FilePath::parse(b"d/e".to_vec()).unwrap();
            if let Ok(path) = FilePath::below(Some(&directory), name.as_bytes()) {
                let rest = path.as_bytes().strip_prefix(b"d/e/");
                assert_eq!(rest, Some(name.as_bytes()));
            }
        }
    }
}
