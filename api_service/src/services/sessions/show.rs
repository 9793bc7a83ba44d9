//! Looking at sessions.

use futures::future::try_join_all;

use super::wanted::is_wanted;
use super::{LOOK_DEADLINE, Sessions, call, end_reason, status_of};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::page::{MAX_LIMIT, Page, PageRequest};
use crate::domain::session::{
    EndReason, LiveSession, Session, SessionStage, SessionStatus, SessionView,
};
use crate::domain::session_filter::SessionFilter;
use crate::services::Error;

/// Most sessions that are looked at for one page of those that a filter takes: the page then holds what was found, and
/// its cursor leads on.
const MOST_LOOKED_AT: u32 = 10 * MAX_LIMIT;

impl Sessions {
    /// A user's session and how it is.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], or [`Error::WorkerUnavailable`] when nobody can say how it is.
    pub async fn get(
        &self,
        user: &UserId,
        id: &SessionId,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        let session = self.find(user, id).await?;
        self.look_at(session, request_id).await
    }

    /// A user's sessions that `filter` takes and how they are, newest first.
    ///
    /// # Errors
    /// [`Error::WorkerUnavailable`] when nobody can say how they are.
    pub async fn list(
        &self,
        user: &UserId,
        page: &PageRequest<SessionId>,
        filter: &SessionFilter,
        request_id: &str,
    ) -> Result<Page<SessionView, SessionId>, Error> {
        let batch = if filter.takes_all() { page.limit } else { MAX_LIMIT };
        let mut rest = PageRequest { limit: batch, after: page.after.clone() };
        let (mut found, mut looked_at, mut live) = (Vec::new(), 0, None);
        loop {
            let Page { items, next } = self.database.sessions_of(user, &rest).await?;
            let items = items.into_iter().filter(|session| is_wanted(filter, &session.metadata));
            for session in items {
                let view = self.view(user, session, &mut live, request_id).await?;
                if filter.takes_status(view.status) {
                    found.push(view);
                }
            }
            looked_at += batch;
            let is_full = u32::try_from(found.len()).unwrap_or(u32::MAX) > page.limit;
            let Some(after) = next else {
                return Ok(cut(found, page.limit));
            };
            if filter.takes_all() || (looked_at >= MOST_LOOKED_AT && !is_full) {
                return Ok(Page { items: found, next: Some(after) });
            }
            if is_full {
                return Ok(cut(found, page.limit));
            }
            rest.after = Some(after);
        }
    }

    /// How a session is, by what the workers say of all the user's in `live`, who are asked once.
    async fn view(
        &self,
        user: &UserId,
        session: Session,
        live: &mut Option<Vec<LiveSession>>,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        if let SessionStage::Ended(reason) = session.stage {
            return ended(session, reason);
        }
        let all = match live {
            Some(all) => all,
            None => {
                let call = call(request_id, LOOK_DEADLINE);
                let asked = self.workers.each().iter();
                let asked = asked.map(|worker| worker.client().sessions(&call, user));
                live.insert(try_join_all(asked).await?.concat())
            }
        };
        match all.iter().find(|live| live.id == session.id) {
            Some(live) => Ok(lives(session, live.clone())),
            None => self.look_at(session, request_id).await,
        }
    }

    /// Asks the worker about a session that we take for live, and notes when it is not.
    async fn look_at(&self, session: Session, request_id: &str) -> Result<SessionView, Error> {
        if let SessionStage::Ended(reason) = session.stage {
            return ended(session, reason);
        }
        let call = call(request_id, LOOK_DEADLINE);
        let asked = self.home(&session)?.client().session(&call, &session.id, &session.user);
        let error = match asked.await {
            Ok(live) => return Ok(lives(session, live)),
            Err(error) => error,
        };
        let Some(reason) = end_reason(&error, &session) else {
            return Err(Error::from(error));
        };
        self.database.end_session(&session.id, reason).await?;
        ended(session, reason)
    }
}

fn cut(found: Vec<SessionView>, limit: u32) -> Page<SessionView, SessionId> {
    Page::cut(found, limit, |view| view.session.id.clone())
}

/// One that its worker has said that it lives.
pub(super) fn lives(session: Session, live: LiveSession) -> SessionView {
    SessionView { session, status: status_of(&live), live: Some(live) }
}

fn ended(session: Session, reason: EndReason) -> Result<SessionView, Error> {
    let status = match reason {
        EndReason::Expired => SessionStatus::Expired,
        EndReason::Lost => SessionStatus::Lost,
        EndReason::Deleted => return Err(Error::SessionNotFound),
    };
    Ok(SessionView { session, status, live: None })
}
