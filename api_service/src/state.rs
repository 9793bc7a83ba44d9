//! Everything that handlers use: the composition of the service in one place.

use std::sync::Arc;

use crate::config::Settings;
use crate::domain::run::RunRules;
use crate::execution_client::ExecutionClient;
use crate::services::Error;
use crate::services::access_tokens::AccessTokens;
use crate::services::api_keys::ApiKeys;
use crate::services::attempts::Attempts;
use crate::services::authenticator::Authenticator;
use crate::services::background::Background;
use crate::services::executions::Executions;
use crate::services::history::History;
use crate::services::housekeeping::Housekeeping;
use crate::services::idempotency::Idempotency;
use crate::services::offboarding::Offboarding;
use crate::services::passwords::Passwords;
use crate::services::runs::Runs;
use crate::services::sealing::Sealer;
use crate::services::sessions::Sessions;
use crate::services::sign_in::SignIn;
use crate::services::user_changes::UserChanges;
use crate::services::users::Users;
use crate::services::worker::Worker;
use crate::storage::Database;

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
    pub runs: Runs,
    /// Shows and cancels runs.
    pub executions: Executions,
    /// Makes, shows and ends sessions.
    pub sessions: Sessions,
    /// Makes sure that things happen once.
    pub idempotency: Idempotency,
    /// What is known of the worker.
    pub worker: Worker,
    /// For the health routes.
    pub database: Database,
    /// Finishes what must not be cut off.
    pub background: Background,
    /// What requests may ask for.
    pub rules: RunRules,
}

impl AppState {
    /// The same for one thread of the server, with connections of the thread's own.
    #[must_use]
    pub fn on_this_thread(&self) -> Self {
        let mut state = self.clone();
        let worker = self.worker.connected_from_here();
        state.runs.worker = worker.clone();
        state.runs.sessions.worker = worker.clone();
        state.executions.worker = worker.clone();
        state.sessions.worker = worker.clone();
        state.worker = worker;
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
    client: ExecutionClient,
    history: History,
) -> Result<(AppState, Authenticator, Housekeeping), Error> {
    let secret = settings.secret_key.expose().as_bytes();
    let access_tokens = Arc::new(AccessTokens::new(secret, settings.access_token_lifetime));
    let passwords = Passwords::new()?;
    let attempts = Arc::new(Attempts::new());
    let background = Background::new();
    let boot = history.boot().clone();
    let worker = Worker::new(client);
    let api_keys = ApiKeys { database: database.clone(), recent: Arc::default() };
    let users =
        Users { database: database.clone(), passwords: passwords.clone(), recent: Arc::default() };
    let sessions = Sessions {
        database: database.clone(),
        worker: worker.clone(),
        background: background.clone(),
        boot: boot.clone(),
    };
    let executions = Executions { history: history.clone(), worker: worker.clone() };
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
        runs: Runs {
            history,
            users: users.clone(),
            worker: worker.clone(),
            sessions: sessions.clone(),
            max_timeout: settings.rules.max_timeout,
        },
        executions,
        sessions,
        idempotency: Idempotency {
            database: database.clone(),
            sealer: Arc::new(Sealer::new(secret)?),
            background: background.clone(),
            boot: boot.clone(),
        },
        worker: worker.clone(),
        database: database.clone(),
        background,
        rules: settings.rules.clone(),
    };
    let retention = settings.retention.clone();
    let housekeeping = Housekeeping { database, worker, attempts, offboarding, boot, retention };
    Ok((state, Authenticator { access_tokens, users, api_keys }, housekeeping))
}
