//! What Python in the sandboxes is to have.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// numpy, pandas, matplotlib and IPython: there in seconds.
const MINIMAL: &str = include_str!("../../packages/minimal.txt");
/// What models reach for.
const STANDARD: &str = include_str!("../../packages/standard.txt");

const MIB: u64 = 1 << 20;
/// The longest list of an operator's own.
const LONGEST: u64 = MIB;

/// What the operator chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// numpy, pandas, matplotlib and IPython.
    Minimal,
    /// These, and what else models reach for.
    Standard,
    /// What stands in this file, in pip's format; absolute.
    Own(PathBuf),
}

/// A list of packages, to be installed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packages {
    /// `minimal`, `standard` or the path of the operator's list.
    pub name: String,
    /// In pip's format.
    pub requirements: String,
    /// The operator's file, which may name others beside it.
    pub(super) file: Option<PathBuf>,
    /// Whether it says everything: then nothing is installed beyond it.
    pub(super) complete: bool,
    /// Bytes on the disk while it is installed and afterwards; of an operator's own, the least that is thinkable.
    pub(super) bytes: u64,
}

impl Choice {
    /// As it is written in a setting.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "minimal" => Ok(Self::Minimal),
            "standard" => Ok(Self::Standard),
            "" => Err(String::from("must be minimal, standard or the path of a requirements file")),
            path => std::path::absolute(path).map(Self::Own).map_err(|error| error.to_string()),
        }
    }

    /// The list.
    ///
    /// # Errors
    /// A file of the operator's own that cannot be read, or is no list: what is wrong and what to do about it.
    pub fn packages(&self) -> Result<Packages, String> {
        match self {
            Self::Minimal => Ok(Packages::minimal()),
            Self::Standard => Ok(Packages::pinned("standard", STANDARD, 2000 * MIB)),
            Self::Own(path) => Packages::of_file(path).map_err(|problem| {
                format!(
                    "PYTHON_PACKAGES names {}, which {problem}; it must be minimal, standard or the path of a \
                     requirements file",
                    path.display()
                )
            }),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minimal => f.write_str("minimal"),
            Self::Standard => f.write_str("standard"),
            Self::Own(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Packages {
    /// What a first start waits for.
    pub fn minimal() -> Self {
        Self::pinned("minimal", MINIMAL, 450 * MIB)
    }

    fn pinned(name: &str, requirements: &str, bytes: u64) -> Self {
        let (name, requirements) = (String::from(name), String::from(requirements));
        Self { name, requirements, file: None, complete: true, bytes }
    }

    fn of_file(path: &Path) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("cannot be read ({error})");
        let metadata = fs::metadata(path).map_err(cannot)?;
        if !metadata.is_file() {
            return Err(String::from("is not a file"));
        }
        if metadata.len() > LONGEST {
            return Err(format!("has more than {LONGEST} bytes"));
        }
        let requirements = fs::read_to_string(path).map_err(cannot)?;
        let name = path.display().to_string();
        let (file, complete) = (Some(path.to_owned()), false);
        Ok(Self { name, requirements, file, complete, bytes: 100 * MIB })
    }

    /// How many lines name a package: some may be for another Python.
    pub(super) fn count(&self) -> usize {
        let is_one = |line: &&str| line.starts_with(|first: char| first.is_ascii_alphanumeric());
        self.requirements.lines().filter(is_one).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_name_or_a_path() {
        assert_eq!(Choice::parse("minimal"), Ok(Choice::Minimal));
        assert_eq!(Choice::parse("standard"), Ok(Choice::Standard));
        assert_eq!(Choice::parse("/srv/list.txt"), Ok(Choice::Own(PathBuf::from("/srv/list.txt"))));
        assert!(matches!(Choice::parse("list.txt"), Ok(Choice::Own(path)) if path.is_absolute()));
        assert!(Choice::parse("").is_err());
    }

    #[test]
    fn a_list_that_is_not_there_is_refused_with_what_to_do() {
        for path in ["/no/such/list.txt", "/"] {
            let refused = Choice::Own(PathBuf::from(path)).packages().expect_err(path);
            assert!(refused.contains(path) && refused.contains("requirements file"), "{refused}");
        }
    }

    #[test]
    fn neither_options_nor_hashes_count_as_packages() {
        let list = "# a\na==1 ; x \\\n    --hash=sha256:0\na==2 ; y\nb-c[d]>=1\n-r other.txt\n\n";
        assert_eq!(Packages::pinned("x", list, 0).count(), 3);
    }
}
