//! Users who are disabled, enabled, deleted, or get another password.
//!
//! What was remembered of credentials is forgotten after each change, so that it counts from the next
//! request on; other gateways on the same database follow within [`super::recent::GOOD_FOR`]. Each is
//! done to its end also when the caller goes away: it may not be in the database and still unknown here.

use std::net::IpAddr;
use std::sync::Arc;

use super::Error;
use super::api_keys::ApiKeys;
use super::attempts::Attempts;
use super::background::Background;
use super::offboarding::Offboarding;
use super::users::Users;
use crate::domain::credentials::NewPassword;
use crate::domain::ids::UserId;
use crate::domain::user::{Removal, User};

/// Changes users.
#[derive(Clone)]
pub struct UserChanges {
    /// Whom to change.
    pub users: Users,
    /// Whose memory to clear.
    pub api_keys: ApiKeys,
    /// Counts tries to name a password.
    pub attempts: Arc<Attempts>,
    /// Ends what goes on.
    pub offboarding: Offboarding,
    /// Does it to the end.
    pub background: Background,
}

impl UserChanges {
    /// Makes every credential of a user worthless, and ends what the user has running.
    ///
    /// # Errors
    /// [`Error::UserNotFound`] or [`Error::LastAdmin`].
    pub async fn disable(&self, id: &UserId, request_id: &str) -> Result<User, Error> {
        let (this, id, request_id) = (self.clone(), id.clone(), request_id.to_owned());
        let work = async move {
            this.removed(this.users.database.disable_user(&id).await?)?;
            this.offboarding.begin(&id, &request_id).await;
            this.users.get(&id).await
        };
        self.to_the_end(work).await
    }

    /// Deletes a user: as [`Self::disable`], and nothing of the user's is kept.
    ///
    /// # Errors
    /// [`Error::UserNotFound`] or [`Error::LastAdmin`].
    pub async fn delete(&self, id: &UserId, request_id: &str) -> Result<(), Error> {
        let (this, id, request_id) = (self.clone(), id.clone(), request_id.to_owned());
        let work = async move {
            this.removed(this.users.database.delete_user(&id).await?)?;
            this.offboarding.begin(&id, &request_id).await;
            Ok(())
        };
        self.to_the_end(work).await
    }

    /// Lets a user sign in again; API keys are good again, earlier sign-ins are not.
    ///
    /// # Errors
    /// [`Error::UserNotFound`].
    pub async fn enable(&self, id: &UserId) -> Result<User, Error> {
        let (this, id) = (self.clone(), id.clone());
        let work = async move {
            let found = this.users.database.enable_user(&id).await?;
            this.forget();
            if found { this.users.get(&id).await } else { Err(Error::UserNotFound) }
        };
        self.to_the_end(work).await
    }

    /// Changes the caller's own password. All sign-ins of the user are over, this one, too.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::TooManyAttempts`] or [`Error::SignInBusy`].
    pub async fn change_password(
        &self,
        user: &User,
        present: &str,
        new: &NewPassword,
        peer: Option<IpAddr>,
    ) -> Result<(), Error> {
        // It is one more way to find a password out.
        self.attempts.count(&user.username, peer)?;
        let kept = self.users.database.password_hash(&user.id).await?;
        if !self.users.passwords.verify(present, kept.clone()).await? {
            return Err(Error::WrongPassword);
        }
        let hash = self.users.passwords.hash(new.expose()).await?;
        // Otherwise somebody else was faster, and the present password is another one.
        if self.set_password(&user.id, kept, hash).await? {
            Ok(())
        } else {
            Err(Error::WrongPassword)
        }
    }

    /// Gives another user a new password. All sign-ins of that user are over.
    ///
    /// # Errors
    /// [`Error::UserNotFound`], or [`Error::OwnPassword`]: a token that was left open in a browser must
    /// not be enough to take an administrator's account over.
    pub async fn reset_password(
        &self,
        by: &UserId,
        user: &User,
        new: &NewPassword,
    ) -> Result<(), Error> {
        if *by == user.id {
            return Err(Error::OwnPassword);
        }
        let hash = self.users.passwords.hash(new.expose()).await?;
        // Hashing takes its turn, and who asked may have been disabled meanwhile.
        self.users.must_exist(by).await?;
        if self.set_password(&user.id, None, hash).await? {
            Ok(())
        } else {
            Err(Error::UserNotFound)
        }
    }

    /// False when there is no such user, or another password than `old` by now.
    async fn set_password(
        &self,
        id: &UserId,
        old: Option<String>,
        new: String,
    ) -> Result<bool, Error> {
        let (this, id) = (self.clone(), id.clone());
        let work = async move {
            let changed = this.users.database.set_password(&id, old.as_deref(), &new).await?;
            this.forget();
            Ok(changed)
        };
        self.to_the_end(work).await
    }

    fn removed(&self, removal: Removal) -> Result<(), Error> {
        self.forget();
        match removal {
            Removal::Done => Ok(()),
            Removal::NoSuchUser => Err(Error::UserNotFound),
            Removal::LastAdmin => Err(Error::LastAdmin),
        }
    }

    fn forget(&self) {
        self.users.recent.forget();
        self.api_keys.recent.forget();
    }

    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.background.finish(work).await.ok_or(Error::Fault("a change of a user ended early"))?
    }
}
