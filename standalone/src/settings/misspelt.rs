//! Variables that are almost settings: `MAX_TIMEOUTS` would otherwise be a default, silently.

use api_service::config::VARIABLES;
use execution_service::language::Language;

use super::InvalidSetting;

/// The settings that neither service reads with its others.
fn others() -> impl Iterator<Item = &'static str> {
    let executables =
        Language::ALL.into_iter().map(|language| language.descriptor().executable_variable);
    executables.chain(["DATA_DIR"])
}

/// Shorter names resemble too much that is none of our business.
const SHORTEST: usize = 8;

/// Refuses a name that differs from a setting's by one letter left out, added, changed or swapped.
pub(super) fn check(names: impl Iterator<Item = String>) -> Result<(), InvalidSetting> {
    let gateway = VARIABLES.each_ref().map(|variable| variable.name);
    let mut known = execution_service::config::Settings::variables();
    known.extend(gateway.into_iter().chain(others()).map(String::from));
    for name in names.filter(|name| !known.contains(name)) {
        let meant = known
            .iter()
            .filter(|known| known.len() >= SHORTEST)
            .find(|known| strsim::damerau_levenshtein(known, &name) == 1);
        if let Some(meant) = meant {
            return Err(InvalidSetting::Misspelt { name, meant: meant.clone() });
        }
    }
    Ok(())
}
