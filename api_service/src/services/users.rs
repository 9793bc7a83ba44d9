//! Users.

use std::sync::Arc;

use super::Error;
use super::passwords::Passwords;
use super::recent::Recent;
use super::secrets::random_hex;
use crate::domain::credentials::{NewPassword, Username};
use crate::domain::ids::UserId;
use crate::domain::page::{Page, PageRequest};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{Account, User};
use crate::storage::{self, Database};

/// Random bytes of a password that we make.
const PASSWORD_BYTES: usize = 12;
/// What the first administrator is called when nobody says.
const FIRST_ADMIN: &str = "admin";

/// Makes users and looks them up.
#[derive(Clone)]
pub struct Users {
    /// Where they are kept.
    pub database: Database,
    /// Hashes their passwords.
    pub passwords: Passwords,
    /// Those who were seen lately.
    pub recent: Arc<Recent<UserId, Account>>,
}

/// Who administers this gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstAdmin {
    /// There are users already.
    Existing,
    /// Made now, with the password that was given.
    Made(Username),
    /// Made now, with a password that must be shown once: nobody can read it again.
    MadeWithPassword(Username, String),
}

impl Users {
    /// Adds a user.
    ///
    /// # Errors
    /// [`Error::UsernameTaken`].
    pub async fn create(
        &self,
        username: Username,
        password: &NewPassword,
        is_admin: bool,
    ) -> Result<User, Error> {
        let hash = self.passwords.hash(password.expose()).await?;
        let user = User {
            id: UserId::generate(),
            username,
            is_admin,
            created_at: Timestamp::now(),
            disabled_at: None,
            generation: 0,
        };
        match self.database.insert_user(&user, &hash).await {
            Ok(()) => Ok(user),
            Err(storage::Error::Conflict) => Err(Error::UsernameTaken),
            Err(error) => Err(Error::from(error)),
        }
    }

    /// All users, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, page: &PageRequest<UserId>) -> Result<Page<User, UserId>, Error> {
        Ok(self.database.users(page).await?)
    }

    /// The user with that id.
    ///
    /// # Errors
    /// [`Error::UserNotFound`].
    pub async fn get(&self, id: &UserId) -> Result<User, Error> {
        self.database.user_by_id(id).await?.ok_or(Error::UserNotFound)
    }

    /// The user behind a credential that was just recognised.
    ///
    /// # Errors
    /// [`Error::CredentialInvalid`] when there is none: the credential outlived its user.
    pub async fn caller(&self, id: &UserId) -> Result<User, Error> {
        self.database.user_by_id(id).await?.ok_or(Error::CredentialInvalid)
    }

    /// What a user may do who is not disabled, or was not in the last [`super::recent::GOOD_FOR`]
    /// where another gateway has disabled the user.
    ///
    /// # Errors
    /// [`Error::CredentialInvalid`] for anybody else: the credential outlived its user.
    pub async fn active(&self, id: &UserId) -> Result<Account, Error> {
        let look = self.database.active_account(id);
        self.recent.find(id.clone(), look).await?.ok_or(Error::CredentialInvalid)
    }

    /// Nothing, when the user is active still: a body can take a minute to arrive after its sender
    /// was recognised.
    ///
    /// # Errors
    /// As [`Self::active`].
    pub async fn must_exist(&self, id: &UserId) -> Result<(), Error> {
        self.active(id).await.map(drop)
    }

    /// Makes the first administrator where there are no users yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_admin(
        &self,
        username: Option<Username>,
        password: Option<NewPassword>,
    ) -> Result<FirstAdmin, Error> {
        if !self.database.has_no_users().await? {
            return Ok(FirstAdmin::Existing);
        }
        let username = match username {
            Some(username) => username,
            None => Username::parse(FIRST_ADMIN).map_err(Error::Fault)?,
        };
        let (password, made) = match password {
            Some(password) => (password, None),
            None => {
                let text = random_hex(PASSWORD_BYTES)?;
                let password =
                    NewPassword::parse(text.clone(), Some(&username)).map_err(Error::Fault)?;
                (password, Some(text))
            }
        };
        match (self.create(username.clone(), &password, true).await, made) {
            (Ok(_), None) => Ok(FirstAdmin::Made(username)),
            (Ok(_), Some(text)) => Ok(FirstAdmin::MadeWithPassword(username, text)),
            // Another gateway that starts at the same moment was faster.
            (Err(Error::UsernameTaken), _) => Ok(FirstAdmin::Existing),
            (Err(error), _) => Err(error),
        }
    }
}
