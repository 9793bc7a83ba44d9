//! The name of an environment: equal names can be used for one another.

use sha2::{Digest, Sha256};

use super::{Recipe, finish};

/// 64 hexadecimal digits over everything that the environment's content depends upon.
pub(super) fn of(recipe: &Recipe) -> String {
    let executable = recipe.python.executable.to_string_lossy();
    let mut digest = Sha256::new();
    let Recipe { python, packages, launcher: _ } = recipe;
    let parts = [&*packages.requirements, &*python.version, &*executable, finish::FONTS];
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a name could be one.
pub(super) fn is_one(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
