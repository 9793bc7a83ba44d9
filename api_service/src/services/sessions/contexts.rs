//! The interpreters of a session.

use super::{CHANGE_DEADLINE, Sessions, call};
use crate::domain::context::{Context, NewContext};
use crate::domain::ids::{ContextId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::services::Error;

impl Sessions {
    /// Makes one more context in a user's session.
    ///
    /// # Errors
    /// When there is no such session that lives, or its worker does not make it.
    pub async fn create_context(
        &self,
        user: &UserId,
        id: &SessionId,
        new: NewContext,
        request_id: &str,
    ) -> Result<Context, Error> {
        let session = self.usable(user, id).await?;
        let home = self.home(&session)?;
        let placement = self.workers.place_on(home, &new.language, request_id).await?;
        let language = placement.language.name.clone();
        let new = NewContext { language: language.clone(), ..new };
        let call = call(request_id, CHANGE_DEADLINE);
        let context = ContextId::generate();
        match home.client().create_context(&call, (id, user), &context, &new).await {
            Ok(context) => Ok(context),
            Err(error) => {
                let over = self.over(&session, &error).await?;
                Err(over.unwrap_or_else(|| Error::of_call(error, &language)))
            }
        }
    }

    /// The contexts of a user's session, oldest first.
    ///
    /// # Errors
    /// When there is no such session that lives, or its worker cannot be reached.
    pub async fn contexts(
        &self,
        user: &UserId,
        id: &SessionId,
        request_id: &str,
    ) -> Result<Vec<Context>, Error> {
        let session = self.usable(user, id).await?;
        Ok(self.live(&session, request_id).await?.contexts)
    }

    /// What a context of a user's session runs.
    ///
    /// # Errors
    /// As [`Sessions::contexts`], and [`Error::ContextNotFound`].
    pub(in crate::services) async fn language_of(
        &self,
        user: &UserId,
        id: &SessionId,
        context: &ContextId,
        request_id: &str,
    ) -> Result<LanguageName, Error> {
        let contexts = self.contexts(user, id, request_id).await?;
        let found = contexts.into_iter().find(|one| one.id == *context);
        found.map(|context| context.language).ok_or(Error::ContextNotFound)
    }

    /// Interrupts what runs in a context of a user's session, or in all of them. Whether something did.
    ///
    /// # Errors
    /// When there is no such session or context, or its worker cannot be reached.
    pub async fn interrupt(
        &self,
        user: &UserId,
        id: &SessionId,
        context: Option<&ContextId>,
        request_id: &str,
    ) -> Result<bool, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let client = self.home(&session)?.client();
        let interrupted = client.interrupt_contexts(&call, (id, user), context).await;
        self.of_live(&session, interrupted).await
    }

    /// Gives a context of a user's session a new interpreter, or all of them; what runs in them is ended. Gives the
    /// contexts of the session as they are then.
    ///
    /// # Errors
    /// When there is no such session or context, or its worker cannot be reached.
    pub async fn restart(
        &self,
        user: &UserId,
        id: &SessionId,
        context: Option<&ContextId>,
        request_id: &str,
    ) -> Result<Vec<Context>, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let client = self.home(&session)?.client();
        let restarted = client.restart_contexts(&call, (id, user), context).await;
        Ok(self.of_live(&session, restarted).await?.contexts)
    }

    /// Deletes a context of a user's session, with what runs in it.
    ///
    /// # Errors
    /// When there is no such session or context, or its worker cannot be reached.
    pub async fn delete_context(
        &self,
        user: &UserId,
        id: &SessionId,
        context: &ContextId,
        request_id: &str,
    ) -> Result<(), Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let deleted =
            self.home(&session)?.client().delete_context(&call, (id, user), context).await;
        self.of_live(&session, deleted).await
    }
}
