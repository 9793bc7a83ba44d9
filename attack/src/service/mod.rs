//! What is attacked: a service of our own, or one that is live.

mod accounts;
mod environment;
mod ephemeral;

pub use accounts::Accounts;
pub use ephemeral::EphemeralService;

use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use super::canaries::Canaries;
use super::error::AttackError;
use super::http::Client;
use super::launcher::Launcher;
use super::options::Options;

/// Longer than any answer takes that runs nothing.
const CALL: Duration = Duration::from_secs(30);

/// A service that can be attacked.
pub struct Service {
    /// How to reach it.
    pub client: Client,
    /// Who attacks, and who must not notice.
    pub accounts: Accounts,
    /// Ours to look at from outside, and to end.
    pub ephemeral: Option<EphemeralService>,
    /// What it says of itself.
    pub info: ServiceInfo,
}

/// What a service says of itself.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    /// `full` or `degraded`.
    pub isolation: String,
    /// Whether the kernel counts memory and processes of each sandbox.
    pub cgroups: bool,
    /// Languages that run.
    pub languages: Vec<String>,
    /// Longest time limit that it accepts, in seconds.
    pub max_timeout: f64,
}

impl Service {
    /// Starts one, or finds the one of `--url`. What it is told that nobody may learn is added to
    /// `secrets`.
    ///
    /// # Errors
    /// [`AttackError`].
    pub async fn open(
        options: &Options,
        launcher: &Launcher,
        canaries: &mut Canaries,
    ) -> Result<Self, AttackError> {
        let slow = CALL.mul_f64(options.patience);
        match &options.url {
            Some(url) => {
                let authority = authority(url).ok_or_else(|| AttackError::Url(url.clone()))?;
                let client = Client::new(authority);
                let user = options.token.clone().ok_or(AttackError::NoToken)?;
                let accounts = Accounts { user, other: options.other_token.clone() };
                let info = ServiceInfo::of(&client, slow).await?;
                Ok(Self { client, accounts, ephemeral: None, info })
            }
            None => {
                let ephemeral =
                    EphemeralService::start(launcher, options.patience, canaries).await?;
                let client = ephemeral.client().clone();
                let accounts =
                    Accounts::make(&client, ephemeral.password(), canaries, slow).await?;
                let info = ServiceInfo::of(&client, slow).await?;
                Ok(Self { client, accounts, ephemeral: Some(ephemeral), info })
            }
        }
    }
}

fn authority(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://")?.trim_end_matches('/');
    let named = !rest.is_empty() && !rest.contains(['/', '?', '#', '@']);
    let port = if rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        ""
    } else {
        ":80"
    };
    named.then(|| format!("{rest}{port}"))
}

impl ServiceInfo {
    async fn of(client: &Client, limit: Duration) -> Result<Self, AttackError> {
        let health = call(client, Method::GET, "/health", None, None, limit).await?;
        let languages = call(client, Method::GET, "/v1/languages", None, None, limit).await?;
        let walls = health["isolation"]["walls"].as_array().cloned().unwrap_or_default();
        let counted = |name: &str| {
            walls.iter().any(|wall| wall["name"] == name && wall["state"] == "enforced")
        };
        let listed = languages["languages"].as_array().cloned().unwrap_or_default();
        let name = |language: &Value| language["name"].as_str().map(String::from);
        let longest = languages["limits"]["maxima"]["wall_ms"].as_f64();
        Ok(Self {
            isolation: String::from(health["isolation"]["level"].as_str().unwrap_or("unknown")),
            cgroups: counted("cgroup_memory") && counted("cgroup_pids"),
            languages: listed.iter().filter_map(name).collect(),
            max_timeout: longest.map_or(f64::INFINITY, |millis| millis / 1000.0),
        })
    }
}

/// A call without which there is nothing to attack; its answer.
///
/// # Errors
/// [`AttackError::Call`], or [`AttackError::Refused`] for a status from 300.
pub async fn call(
    client: &Client,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
    limit: Duration,
) -> Result<Value, AttackError> {
    let what = format!("{method} {path}");
    match client.json(method, path, token, body, limit).await {
        Err(source) => Err(AttackError::Call { what, source }),
        Ok(reply) if reply.status < 300 => Ok(reply.json),
        Ok(reply) => Err(AttackError::Refused { what, status: reply.status, text: reply.text }),
    }
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn a_url_is_a_host_and_a_port_behind_http() {
        assert_eq!(authority("http://127.0.0.1:8000/").as_deref(), Some("127.0.0.1:8000"));
        assert_eq!(authority("http://crucible").as_deref(), Some("crucible:80"));
        for url in ["https://x", "x:80", "http://", "http://x/y", "http://u:p@x"] {
            assert_eq!(authority(url), None, "{url}");
        }
    }
}
