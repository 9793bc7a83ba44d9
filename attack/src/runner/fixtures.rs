//! Everything that entries refer to: who calls, what is whose, what is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use crate::bystander::Bystander;
use crate::canaries::Canaries;
use crate::error::AttackError;
use crate::http::Client;
use crate::service::{Accounts, Service, ServiceInfo, call};

/// Longer than any answer takes that comes at all.
const CALL: Duration = Duration::from_secs(60);

pub(super) const RUN: &str = "/v1/code_interpreter/run";
pub(super) const SESSIONS: &str = "/v1/code_interpreter/sessions";
const KEYS: &str = "/v1/api_keys";

/// Where entries are played.
pub(super) struct Fixtures {
    pub(super) client: Client,
    pub(super) accounts: Accounts,
    pub(super) info: ServiceInfo,
    pub(super) canaries: Canaries,
    pub(super) patience: f64,
    /// What `{own_session}` and the like stand for; one that could not be made is not here.
    pub(super) placeholders: BTreeMap<&'static str, String>,
    /// A service of our own, which nobody else uses.
    pub(super) private: bool,
    /// Method and path of every route that asks for a credential.
    pub(super) routes: Vec<(String, String)>,
}

impl Fixtures {
    /// Makes a session, an execution and a key of the attacker's own, and a key of the other's.
    pub(super) async fn up(
        service: &Service,
        bystander: Option<&Bystander>,
        canaries: Canaries,
        patience: f64,
    ) -> Result<Self, AttackError> {
        let mut fixtures = Self {
            client: service.client.clone(),
            accounts: service.accounts.clone(),
            info: service.info.clone(),
            canaries,
            patience,
            placeholders: BTreeMap::new(),
            private: service.ephemeral.is_some(),
            routes: Vec::new(),
        };
        let user = Some(fixtures.accounts.user.clone());
        let language = fixtures.info.languages.first().cloned().unwrap_or_default();
        let new = json!({"language": language, "ttl": 86_400});
        let made = fixtures.call(Method::POST, SESSIONS, user.as_deref(), Some(&new)).await?;
        fixtures.remember("own_session", &made["session_id"]);
        let run = json!({"language": language, "code": "1", "timeout": 30});
        let ran = fixtures.call(Method::POST, RUN, user.as_deref(), Some(&run)).await?;
        fixtures.remember("own_execution", &ran["execution_id"]);
        fixtures.make_key("own_key", user).await;
        if let Some(Bystander { session, execution, .. }) = bystander {
            fixtures.placeholders.insert("foreign_session", session.clone());
            fixtures.placeholders.insert("foreign_execution", execution.clone());
            fixtures.make_key("foreign_key", fixtures.accounts.other.clone()).await;
        }
        let document = fixtures.call(Method::GET, "/openapi.json", None, None).await?;
        fixtures.routes = protected(&document);
        Ok(fixtures)
    }

    /// A token of a live service may not be allowed to; what refers to the key is skipped then.
    async fn make_key(&mut self, name: &'static str, token: Option<String>) {
        let body = json!({"name": "attack"});
        if let Ok(made) = self.call(Method::POST, KEYS, token.as_deref(), Some(&body)).await {
            self.remember(name, &made["id"]);
        }
    }

    fn remember(&mut self, name: &'static str, id: &Value) {
        if let Some(id) = id.as_str() {
            self.placeholders.insert(name, String::from(id));
        }
    }

    /// Connections between the services, and whatever else is made on first use, are there before
    /// anything is counted.
    pub(super) async fn warm_up(&self) -> Result<(), AttackError> {
        let threads = std::thread::available_parallelism().map_or(8, usize::from);
        let token = Some(self.accounts.user.as_str());
        for language in self.info.languages.iter().cycle().take((threads * 4).max(16)) {
            let code = if language == "c" { "int main(void) { return 0; }" } else { "1" };
            let run = json!({"language": language, "code": code, "timeout": 30});
            self.call(Method::POST, RUN, token, Some(&run)).await?;
        }
        Ok(())
    }

    /// Which of these packages and executables programs would not find. Python is asked, which has
    /// the first and looks for the others where every program does.
    pub(super) async fn missing(&self, needs: &[String]) -> Result<Vec<String>, AttackError> {
        if !self.info.languages.iter().any(|language| language == "python") {
            return Ok(vec![String::from("python")]);
        }
        let code = "import importlib.util, json, shutil, sys\n\
            have = lambda name: shutil.which(name) or importlib.util.find_spec(name)\n\
            print('\\n'.join(name for name in sys.argv[1:] if not have(name)))";
        let run = json!({"language": "python", "code": code, "args": needs, "timeout": 30});
        let token = Some(self.accounts.user.as_str());
        let answer = self.call(Method::POST, RUN, token, Some(&run)).await?;
        let missing: BTreeSet<&str> =
            answer["stdout"].as_str().unwrap_or_default().lines().collect();
        Ok(needs.iter().filter(|name| missing.contains(name.as_str())).cloned().collect())
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, AttackError> {
        call(&self.client, method, path, token, body, CALL.mul_f64(self.patience)).await
    }

    /// Takes back what was made: a live service goes on without it.
    pub(super) async fn leave(&self) {
        let (user, other) = (Some(self.accounts.user.as_str()), self.accounts.other.as_deref());
        for (name, folder, token) in [
            ("own_session", SESSIONS, user),
            ("foreign_session", SESSIONS, other),
            ("own_key", KEYS, user),
            ("foreign_key", KEYS, other),
        ] {
            if let Some(id) = self.placeholders.get(name) {
                // An attack may have ended it already; there is nothing else to be done about it.
                let _ = self.call(Method::DELETE, &format!("{folder}/{id}"), token, None).await;
            }
        }
    }
}

/// Everything in the document that names a way of showing who one is.
fn protected(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, operations)| {
        operations.as_object().into_iter().flatten().map(move |(method, one)| (path, method, one))
    });
    operations
        .filter(|(_, _, one)| one["security"].as_array().is_some_and(|ways| !ways.is_empty()))
        .map(|(path, method, _)| (method.to_uppercase(), path.clone()))
        .collect()
}
