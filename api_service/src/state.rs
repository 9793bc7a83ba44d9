//! Everything that handlers use: the composition of the service in one place.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::domain::run::RunRules;
use crate::services::Error;
use crate::services::access_tokens::AccessTokens;
use crate::services::api_keys::ApiKeys;
use crate::services::attempts::Attempts;
use crate::services::authenticator::Authenticator;
use crate::services::background::Background;
use crate::services::executions::{Detached, Executions, Live};
use crate::services::files::Files;
use crate::services::history::History;
use crate::services::housekeeping::Housekeeping;
use crate::services::idempotency::{Idempotency, Ongoing};
use crate::services::offboarding::Offboarding;
use crate::services::passwords::Passwords;
use crate::services::processes::Processes;
use crate::services::sealing::Sealer;
use crate::services::sessions::Sessions;
use crate::services::sign_in::SignIn;
use crate::services::user_changes::UserChanges;
use crate::services::users::Users;
use crate::services::webhooks::Webhooks;
use crate::storage::Database;
use crate::workers::Workers;
use crate::workers::client::WorkerClient;

/// What a handler is given. One value, shared by all threads.
#[derive(Clone)]
pub struct AppState {
    /// Signs users in and out.
    pub sign_in: SignIn,
    /// Makes and shows users.
    pub users: Users,
    /// Disables, enables and deletes users, and changes passwords.
    pub user_changes: UserChanges,
    /// Makes API keys.
    pub api_keys: ApiKeys,
    /// Runs code.
    pub executions: Executions,
    /// Starts runs that go on without their callers.
    pub detached: Detached,
    /// Makes, shows and ends sessions.
    pub sessions: Sessions,
    /// Starts, follows and ends commands.
    pub processes: Processes,
    /// Does something with files of sessions.
    pub files: Files,
    /// Makes sure that things happen once.
    pub idempotency: Idempotency,
    /// The workers, and what is known of them.
    pub workers: Workers,
    /// For the health routes.
    pub database: Database,
    /// Finishes what must not be cut off.
    pub background: Background,
    /// Posts answers.
    pub webhooks: Webhooks,
    /// Cancelled, the gateway is about to stop: connections that only wait for something to do end.
    pub closing: CancellationToken,
    /// What requests may ask for.
    pub rules: RunRules,
}

impl AppState {
    /// The same for one thread of the server, with connections of the thread's own.
    #[must_use]
    pub fn on_this_thread(&self) -> Self {
        let mut state = self.clone();
        let workers = self.workers.connected_from_here();
        state.executions.sessions.workers = workers.clone();
        state.executions.workers = workers.clone();
        state.sessions.workers = workers.clone();
        state.processes.sessions.workers = workers.clone();
        state.files.sessions.workers = workers.clone();
        state.workers = workers;
        state
    }
}

/// Puts the services together.
///
/// # Errors
/// When the operating system has no random numbers, or the cipher cannot be set up.
pub fn compose(
    settings: &Settings,
    database: Database,
    client: WorkerClient,
    history: History,
) -> Result<(AppState, Authenticator, Housekeeping), Error> {
    let secret = settings.secret_key.expose().as_bytes();
    let access_tokens = Arc::new(AccessTokens::new(secret, settings.access_token_lifetime));
    let passwords = Passwords::new()?;
    let attempts = Arc::new(Attempts::new());
    let background = Background::new();
    let boot = history.boot().clone();
    let workers = Workers::new([client], settings.rules.languages.clone());
    let api_keys = ApiKeys { database: database.clone(), recent: Arc::default() };
    let users =
        Users { database: database.clone(), passwords: passwords.clone(), recent: Arc::default() };
    let sessions = Sessions {
        database: database.clone(),
        workers: workers.clone(),
        background: background.clone(),
        boot: boot.clone(),
    };
    let executions = Executions {
        history,
        users: users.clone(),
        workers: workers.clone(),
        sessions: sessions.clone(),
        max_timeout: settings.rules.max_timeout,
        live: Live::default(),
        stopping: CancellationToken::new(),
    };
    let offboarding = Offboarding {
        database: database.clone(),
        executions: executions.clone(),
        sessions: sessions.clone(),
    };
    let state = AppState {
        sign_in: SignIn {
            database: database.clone(),
            passwords,
            access_tokens: access_tokens.clone(),
            attempts: attempts.clone(),
            refresh_lifetime: settings.refresh_token_lifetime,
        },
        users: users.clone(),
        user_changes: UserChanges {
            users: users.clone(),
            api_keys: api_keys.clone(),
            attempts: attempts.clone(),
            offboarding: offboarding.clone(),
            background: background.clone(),
        },
        api_keys: api_keys.clone(),
        detached: Detached { executions: executions.clone(), background: background.clone() },
        executions,
        processes: Processes { sessions: sessions.clone() },
        files: Files { sessions: sessions.clone() },
        sessions,
        idempotency: Idempotency {
            database: database.clone(),
            sealer: Arc::new(Sealer::new(secret)?),
            background: background.clone(),
            boot: boot.clone(),
            ongoing: Ongoing::default(),
            most_of_user: settings.retention.answer_bytes_per_user,
        },
        workers: workers.clone(),
        database: database.clone(),
        webhooks: Webhooks::new(settings.webhook_hosts.clone(), background.clone())?,
        background,
        closing: CancellationToken::new(),
        rules: settings.rules.clone(),
    };
    let retention = settings.retention.clone();
    let housekeeping = Housekeeping { database, workers, attempts, offboarding, boot, retention };
    Ok((state, Authenticator { access_tokens, users, api_keys }, housekeeping))
}
