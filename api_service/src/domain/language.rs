//! Languages. None is known here by name: what there is, workers tell.

use std::fmt;
use std::sync::Arc;

/// Longest name, in bytes.
const MAX_NAME: usize = 32;

/// What a language is called: 1 to 32 of `a-z`, `0-9` and `_+#.-`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LanguageName(Arc<str>);

impl LanguageName {
    /// What a text must be to be one.
    pub const RULE: &str = "must be the name of a language: 1 to 32 of a-z, 0-9 and _+#.-";

    /// A name, in lower case as all are.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_+#.-".contains(&byte)
        };
        let is_name = (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits);
        is_name.then(|| Self(text.into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Display for LanguageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The languages that an operator wants to offer of those that workers have; all unless some are named.
#[derive(Debug, Clone, Default)]
pub struct LanguageFilter(Option<Vec<LanguageName>>);

impl LanguageFilter {
    /// Only these, by name or alias.
    pub fn only(names: Vec<LanguageName>) -> Self {
        Self(Some(names))
    }

    /// True when a language may be offered that goes by these names.
    pub fn offers(&self, name: &LanguageName, aliases: &[LanguageName]) -> bool {
        self.0
            .as_ref()
            .is_none_or(|only| only.contains(name) || aliases.iter().any(|it| only.contains(it)))
    }

    /// What was named; `None` for all.
    pub fn names(&self) -> Option<&[LanguageName]> {
        self.0.as_deref()
    }
}

/// The languages that workers know and the operator offers, with their aliases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer(Vec<(LanguageName, Vec<LanguageName>)>);

impl Offer {
    /// One more, unless it is in it.
    pub fn add(&mut self, name: &LanguageName, aliases: &[LanguageName]) {
        if !self.0.iter().any(|(known, _)| known == name) {
            self.0.push((name.clone(), aliases.to_vec()));
        }
    }

    /// True when a language goes by `name`.
    pub fn knows(&self, name: &LanguageName) -> bool {
        self.0.iter().any(|(known, aliases)| known == name || aliases.contains(name))
    }

    /// What is said of a name that none of them goes by.
    pub fn refusal(&self) -> String {
        let shown = self.0.iter().map(|(name, aliases)| {
            let aliases: Vec<&str> = aliases.iter().map(LanguageName::as_str).collect();
            match aliases[..] {
                [] => name.to_string(),
                _ => format!("{name} ({})", aliases.join(", ")),
            }
        });
        format!("must be one of {}", shown.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::{LanguageFilter, LanguageName, Offer};

    fn name(text: &str) -> LanguageName {
        LanguageName::parse(text).expect("it is a name")
    }

    #[test]
    fn names_are_short_and_in_lower_case() {
        for good in ["c", "c++", "f#", "node.js", "objective-c", "x_1"] {
            assert_eq!(name(good).as_str(), good);
        }
        for bad in ["", "Python", "a b", "ä", "c\n", &"x".repeat(33)] {
            assert_eq!(LanguageName::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_names_all_that_could_have_been_asked_for() {
        let mut offer = Offer::default();
        for _ in 0..2 {
            offer.add(&name("node"), &[name("javascript"), name("js")]);
        }
        offer.add(&name("c"), &[]);
        assert!(offer.knows(&name("js")) && !offer.knows(&name("cobol")));
        assert_eq!(offer.refusal(), "must be one of node (javascript, js), c");
    }

    #[test]
    fn a_filter_knows_aliases() {
        let filter = LanguageFilter::only(vec![name("js")]);
        assert!(filter.offers(&name("node"), &[name("javascript"), name("js")]));
        assert!(!filter.offers(&name("python"), &[name("py")]));
        assert!(LanguageFilter::default().offers(&name("lua"), &[]));
    }
}
