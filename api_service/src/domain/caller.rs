//! Who is asking.

use crate::domain::ids::UserId;
use crate::domain::scope::{Access, Scope};

/// The user behind a request, and what the credential allows.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// What the credential allows.
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// A caller who signed in: everything that the user may do.
    pub fn signed_in(user: UserId, is_admin: bool) -> Self {
        Self { user, scopes: held_by_user(is_admin) }
    }

    /// A caller with an API key: what the key was made for, as far as the user may still do it.
    pub fn with_api_key(user: UserId, is_admin: bool, granted: &[Scope]) -> Self {
        let mut scopes = held_by_user(is_admin);
        scopes.retain(|scope| granted.contains(scope));
        Self { user, scopes }
    }

    /// True when the credential holds `scope`.
    pub fn holds(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The scope that is missing for `access`, if one is.
    pub fn missing_for(&self, access: Access) -> Option<Scope> {
        match access {
            Access::Public | Access::SignedIn => None,
            Access::Needs(scope) => (!self.holds(scope)).then_some(scope),
        }
    }
}

fn held_by_user(is_admin: bool) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|scope| is_admin || *scope != Scope::Admin).collect()
}
