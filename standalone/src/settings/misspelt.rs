//! Variables that are almost settings: `MAX_TIMEOUTS` would otherwise be a default, silently.

use api_service::config::VARIABLES;

use super::InvalidSetting;

/// The settings that the gateway does not know.
const OTHERS: [&str; 11] = [
    "DATA_DIR",
    "INITIAL_POOL_SIZE",
    "MAX_POOL_SIZE",
    "REQUIRE_CGROUPS",
    "REQUIRE_CPU_QUOTA",
    "REQUIRE_FRESH_PROC",
    "REQUIRE_OWN_UIDS",
    "PYTHON_EXECUTABLE",
    "NODE_EXECUTABLE",
    "BASH_EXECUTABLE",
    "GCC_EXECUTABLE",
];

/// Shorter names resemble too much that is none of our business.
const SHORTEST: usize = 8;

/// Refuses a name that differs from a setting's by one letter left out, added, changed or swapped.
pub(super) fn check(names: impl Iterator<Item = String>) -> Result<(), InvalidSetting> {
    let known: Vec<&'static str> =
        VARIABLES.each_ref().map(|variable| variable.name).into_iter().chain(OTHERS).collect();
    for name in names.filter(|name| !known.contains(&name.as_str())) {
        let meant = known
            .iter()
            .filter(|known| known.len() >= SHORTEST)
            .find(|known| strsim::damerau_levenshtein(known, &name) == 1);
        if let Some(meant) = meant {
            return Err(InvalidSetting::Misspelt { name, meant });
        }
    }
    Ok(())
}
