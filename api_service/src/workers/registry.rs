//! The workers that this gateway knows, each with its last account of itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::sync::watch;

use super::client::{self, Call, WorkerClient};
use super::placement::{Choice, choose, offer};
use crate::domain::capabilities::{Capabilities, LanguageInfo};
use crate::domain::inventory::Inventory;
use crate::domain::language::{LanguageFilter, LanguageName, Offer};

/// A worker that has not answered for so long is taken for down.
const FRESH_FOR: Duration = Duration::from_secs(8);
/// How long a worker may take to say what it is.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long it may take to say what it holds: Prometheus gives up after ten seconds, and most of the
/// figures are not the worker's.
const SCRAPE: Duration = Duration::from_secs(1);

/// All workers, in the order in which they are configured. Cheap to clone.
#[derive(Clone)]
pub struct Workers {
    list: Arc<[Worker]>,
    filter: LanguageFilter,
}

/// One worker and its last account of itself.
#[derive(Clone)]
pub struct Worker {
    client: WorkerClient,
    seen: Arc<watch::Sender<Option<Seen>>>,
}

struct Seen {
    capabilities: Arc<Capabilities>,
    at: Instant,
    /// False when it failed to answer since.
    up: bool,
}

/// Where something is to run.
#[derive(Clone)]
pub struct Placement {
    /// On this worker.
    pub worker: Worker,
    /// What that worker is.
    pub account: Arc<Capabilities>,
    /// In this language of its.
    pub language: LanguageInfo,
}

/// Why something can run nowhere.
#[derive(Debug)]
pub enum NoPlacement {
    /// No worker can be reached; this is what the last of them said.
    Unreachable(Option<client::Error>),
    /// The language is known and installed nowhere.
    LanguageMissing(LanguageName),
    /// No such language; these are known.
    UnknownLanguage(Offer),
}

impl Workers {
    /// Workers that have not been asked yet, of whose languages those of `filter` are offered.
    pub fn new(clients: impl IntoIterator<Item = WorkerClient>, filter: LanguageFilter) -> Self {
        Self { list: clients.into_iter().map(Worker::new).collect(), filter }
    }

    /// The same workers, by connections that live on the runtime this is called in. A call from
    /// there is not handed from thread to thread and back, which costs 0.1 ms.
    #[must_use]
    pub fn connected_from_here(&self) -> Self {
        let list = self.list.iter().map(Worker::connected_from_here).collect();
        Self { list, filter: self.filter.clone() }
    }

    /// Each of them.
    pub fn each(&self) -> &[Worker] {
        &self.list
    }

    /// What the first worker is that said so lately; `None` when none did.
    pub fn recent(&self) -> Option<Arc<Capabilities>> {
        self.list.iter().find_map(Worker::recent)
    }

    /// What can be asked for; `None` when no worker said lately what it has.
    pub fn offer(&self) -> Option<Offer> {
        let accounts: Vec<_> = self.each().iter().filter_map(Worker::recent).collect();
        (!accounts.is_empty()).then(|| offer(accounts.iter().map(|it| &**it), &self.filter))
    }

    /// What the first worker is that can be reached.
    ///
    /// # Errors
    /// [`NoPlacement::Unreachable`].
    pub async fn capabilities(&self, request_id: &str) -> Result<Arc<Capabilities>, NoPlacement> {
        if let Some(recent) = self.recent() {
            return Ok(recent);
        }
        let mut last = None;
        for worker in self.each() {
            match worker.capabilities(request_id).await {
                Ok(account) => return Ok(account),
                Err(error) => last = Some(error),
            }
        }
        Err(NoPlacement::Unreachable(last))
    }

    /// Where a stateless run or a new session in `language` is to be.
    ///
    /// # Errors
    /// When it can run nowhere.
    pub async fn place(
        &self,
        language: &LanguageName,
        request_id: &str,
    ) -> Result<Placement, NoPlacement> {
        let found = self.place_where_up(language);
        let Err(NoPlacement::Unreachable(_)) = found else {
            return found;
        };
        // Nobody said lately what it is: they are asked now.
        self.capabilities(request_id).await?;
        self.place_where_up(language)
    }

    /// Where a new session without a language is to be, and what that worker is: the first that is up.
    ///
    /// # Errors
    /// [`NoPlacement::Unreachable`].
    pub async fn place_any(
        &self,
        request_id: &str,
    ) -> Result<(Worker, Arc<Capabilities>), NoPlacement> {
        let first_up =
            || self.each().iter().find_map(|worker| Some((worker.clone(), worker.recent()?)));
        if let Some(found) = first_up() {
            return Ok(found);
        }
        self.capabilities(request_id).await?;
        first_up().ok_or(NoPlacement::Unreachable(None))
    }

    fn place_where_up(&self, language: &LanguageName) -> Result<Placement, NoPlacement> {
        let up: Vec<(&Worker, Arc<Capabilities>)> =
            self.each().iter().filter_map(|worker| Some((worker, worker.recent()?))).collect();
        let candidates = up.iter().map(|candidate| (candidate, &*candidate.1));
        match choose(candidates, language, &self.filter) {
            Choice::Place((worker, account), language) => {
                let (worker, account) = ((*worker).clone(), account.clone());
                Ok(Placement { worker, account, language })
            }
            Choice::Missing(name) => Err(NoPlacement::LanguageMissing(name)),
            Choice::UnknownLanguage(offered) => Err(NoPlacement::UnknownLanguage(offered)),
            Choice::NobodyUp => Err(NoPlacement::Unreachable(None)),
        }
    }

    /// How `worker`, where a session lives, runs `language`.
    ///
    /// # Errors
    /// When it cannot be reached or does not have the language.
    pub async fn place_on(
        &self,
        worker: &Worker,
        language: &LanguageName,
        request_id: &str,
    ) -> Result<Placement, NoPlacement> {
        let account = worker
            .capabilities(request_id)
            .await
            .map_err(|error| NoPlacement::Unreachable(Some(error)))?;
        match choose([((), &*account)], language, &self.filter) {
            Choice::Place((), language) => {
                Ok(Placement { worker: worker.clone(), account, language })
            }
            Choice::Missing(name) => Err(NoPlacement::LanguageMissing(name)),
            Choice::UnknownLanguage(offered) => Err(NoPlacement::UnknownLanguage(offered)),
            Choice::NobodyUp => Err(NoPlacement::Unreachable(None)),
        }
    }

    /// The only worker, where there is one: it need not be looked up what lives where.
    pub fn only(&self) -> Option<&Worker> {
        match self.each() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The worker to ask about what lives, or was left, at the start `instance` of a worker. When nobody
    /// says to be that one, it may be one that is down; otherwise that start is over, and any worker says
    /// so truly that it does not know it.
    pub fn home(&self, instance: Option<&str>) -> Option<&Worker> {
        let is_it =
            |worker: &&Worker| instance.is_some() && worker.instance().as_deref() == instance;
        let is_down = |worker: &&Worker| worker.recent().is_none();
        let all = self.each();
        all.iter().find(is_it).or_else(|| all.iter().find(is_down)).or_else(|| all.first())
    }

    /// What they hold now, added up; `None` when nobody answers soon enough for a scrape.
    pub async fn inventory(&self) -> Option<Inventory> {
        let all = join_all(self.each().iter().map(Worker::inventory)).await;
        all.into_iter().flatten().reduce(Inventory::and)
    }
}

impl Worker {
    fn new(client: WorkerClient) -> Self {
        Self { client, seen: Arc::new(watch::Sender::new(None)) }
    }

    fn connected_from_here(&self) -> Self {
        Self { client: self.client.connected_from_here(), seen: self.seen.clone() }
    }

    /// For calls.
    pub fn client(&self) -> &WorkerClient {
        &self.client
    }

    /// What the worker is, when it said so lately.
    pub fn recent(&self) -> Option<Arc<Capabilities>> {
        let seen = self.seen.borrow();
        let seen = seen.as_ref().filter(|seen| seen.up && seen.at.elapsed() < FRESH_FOR)?;
        Some(seen.capabilities.clone())
    }

    /// Which start of it answered last, also when it is down since.
    fn instance(&self) -> Option<String> {
        let seen = self.seen.borrow();
        seen.as_ref().map(|seen| seen.capabilities.instance_id.clone())
    }

    /// What the worker is; it is asked when it has not said so lately.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn capabilities(&self, request_id: &str) -> Result<Arc<Capabilities>, client::Error> {
        match self.recent() {
            Some(capabilities) => Ok(capabilities),
            None => self.refresh(request_id).await,
        }
    }

    async fn inventory(&self) -> Option<Inventory> {
        let call = Call { request_id: String::from("metrics"), deadline: SCRAPE };
        tokio::time::timeout(SCRAPE, self.client.inventory(&call)).await.ok()?.ok()
    }

    /// Asks the worker what it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn refresh(&self, request_id: &str) -> Result<Arc<Capabilities>, client::Error> {
        let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
        let answer = tokio::time::timeout(DEADLINE, self.client.capabilities(&call)).await;
        let answer = answer.unwrap_or(Err(client::Error::DeadlineExceeded));
        match answer {
            Ok(capabilities) => {
                let capabilities = Arc::new(capabilities);
                let at = Instant::now();
                let seen = Seen { capabilities: capabilities.clone(), at, up: true };
                self.seen.send_replace(Some(seen));
                Ok(capabilities)
            }
            Err(error) => {
                self.seen.send_modify(|seen| {
                    if let Some(seen) = seen {
                        seen.up = false;
                    }
                });
                Err(error)
            }
        }
    }
}
