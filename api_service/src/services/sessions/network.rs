//! What the programs of a session may reach, and what they have reached.

use super::{CHANGE_DEADLINE, LOOK_DEADLINE, Sessions, call};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::network::{NetworkLog, NetworkPolicy};
use crate::services::Error;

impl Sessions {
    /// Puts another policy in force in a user's session; gives it as the worker understands it.
    ///
    /// # Errors
    /// [`Error::NetworkRefused`]; when there is none that lives, or its worker cannot be reached.
    pub async fn set_network(
        &self,
        user: &UserId,
        id: &SessionId,
        policy: NetworkPolicy,
        request_id: &str,
    ) -> Result<NetworkPolicy, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let changed =
            self.home(&session)?.client().change_network(&call, (id, user), &policy).await;
        self.of_live(&session, changed).await
    }

    /// What the programs of a user's session have connected to.
    ///
    /// # Errors
    /// When there is none that lives, or its worker cannot be reached.
    pub async fn network_log(
        &self,
        user: &UserId,
        id: &SessionId,
        request_id: &str,
    ) -> Result<NetworkLog, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, LOOK_DEADLINE);
        let log = self.home(&session)?.client().network_log(&call, (id, user)).await;
        self.of_live(&session, log).await
    }
}
