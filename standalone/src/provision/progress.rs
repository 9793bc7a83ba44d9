//! How far an environment is.

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A package is looked for and downloaded.
    Package {
        /// Its name, as pip says it.
        name: &'a str,
        /// From 1.
        number: usize,
        /// How many there are, at most.
        of: usize,
    },
    /// Something else, in words.
    Doing(&'a str),
}
