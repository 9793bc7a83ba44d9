//! Identifiers: a prefix that says of what, and 32 hex digits that sort by time of creation.

use std::fmt;

use uuid::Uuid;

/// Longest id that is looked up at all; ours have 36 characters.
const MAX_LENGTH: usize = 68;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// A new one, greater than all that were made before.
            pub fn generate() -> Self {
                Self(format!(concat!($prefix, "{}"), Uuid::now_v7().simple()))
            }

            /// `None` when the text cannot be such an id.
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                let plausible = !rest.is_empty()
                    && text.len() <= MAX_LENGTH
                    && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
                plausible.then(|| Self(text.to_owned()))
            }

            /// A text that sorts after every such id, whatever the collation: the hex digits of
            /// an id all come before `z`.
            pub const AFTER_ALL: &str = concat!($prefix, "zzzz");

            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A user.
    UserId,
    "usr_"
);
id!(
    /// An API key (not its secret).
    ApiKeyId,
    "key_"
);
id!(
    /// All refresh tokens that descend from one sign-in.
    FamilyId,
    "fam_"
);
id!(
    /// One run of code.
    ExecutionId,
    "exe_"
);
id!(
    /// A user's lease on one sandbox.
    SessionId,
    "ses_"
);
id!(
    /// One interpreter of a session. The session's default one of a language has an id of the worker's making.
    ContextId,
    "ctx_"
);
id!(
    /// One life of a gateway process.
    BootId,
    "gwb_"
);

#[cfg(test)]
mod tests {
    use super::SessionId;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<_> = (0..1000).map(|_| SessionId::generate()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn what_cannot_be_an_id_is_none() {
        for text in ["", "ses_", "exe_0123", "ses_../x", "ses_a b", &format!("ses_{:0100}", 1)] {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
    }
}
