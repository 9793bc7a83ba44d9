//! Versions, as far as they have to be compared.

use super::Unsuitable;

/// Refuses a `version` before `oldest`: numbers with dots between, and perhaps more behind them.
/// A candidate with a version of another form is none of what is `expected`.
///
/// # Errors
/// [`Unsuitable::TooOld`], [`Unsuitable::Stranger`].
pub fn check(
    version: &str,
    oldest: &'static str,
    expected: &'static str,
) -> Result<(), Unsuitable> {
    let found = numbers(version);
    if found.is_empty() {
        return Err(Unsuitable::Stranger { expected });
    }
    if found < numbers(oldest) {
        return Err(Unsuitable::TooOld { version: String::from(version), minimum: oldest });
    }
    Ok(())
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (version, oldest, fits) in [
            ("3.10.2", "3.8", true),
            ("3.8.0", "3.8", true),
            ("3.7.9", "3.8", false),
            ("18.0.0", "18", true),
            ("24.0.0-nightly", "18", true),
            ("9.9.9", "18", false),
        ] {
            assert_eq!(check(version, oldest, "x").is_ok(), fits, "{version}");
        }
        for strange in ["", "x.5", "v5.1", ".5"] {
            assert!(matches!(check(strange, "5", "x"), Err(Unsuitable::Stranger { .. })));
        }
    }
}
