//! Variables that are almost settings: `MAX_TIMEOUTS` would otherwise be a default, silently.

use std::ffi::OsString;

/// Shorter names resemble too much that is none of our business.
const SHORTEST: usize = 8;

/// Of `names`, those that differ from a `known` one by one letter left out, added, changed or swapped:
/// a problem for each, with the name that is meant.
pub fn misspelt(known: &[String], names: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let candidates: Vec<&String> = known.iter().filter(|name| name.len() >= SHORTEST).collect();
    // A name that is not UTF-8 is not within one letter of any of ours.
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    names
        .filter(|name| !known.contains(name))
        .filter_map(|name| {
            let close = |known: &&&String| strsim::damerau_levenshtein(known, &name) == 1;
            let meant = candidates.iter().find(close)?;
            Some(format!("{name} is not a setting; did you mean {meant}?"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_told_with_the_one_that_is_meant() {
        let known = ["SECRET_KEY", "ACCESS_TOKEN_EXPIRE_MINUTES", "DATABASE_URL", "HOST"];
        let known = known.map(String::from);
        for (name, meant) in [
            ("SECRET_KEYS", Some("SECRET_KEY")),
            ("ACCESS_TOKEN_EXPIRE_MINUTE", Some("ACCESS_TOKEN_EXPIRE_MINUTES")),
            ("DATABSE_URL", Some("DATABASE_URL")),
            ("DATABASE_RUL", Some("DATABASE_URL")),
            ("SECRET_KEY", None),
            ("HOSTS", None),
            ("HOSTNAME", None),
            ("MAX_POOL_SIZE", None),
        ] {
            let told = misspelt(&known, [OsString::from(name)]);
            assert_eq!(told.len(), usize::from(meant.is_some()), "{name}: {told:?}");
            let right = |meant: &str| told[0].contains(&format!("did you mean {meant}?"));
            assert!(meant.is_none_or(right), "{name}: {told:?}");
        }
    }
}
