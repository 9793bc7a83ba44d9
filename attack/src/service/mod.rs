//! What is attacked: a service of our own, or one that is live.

mod accounts;
mod private;
mod surroundings;

pub use accounts::Accounts;
pub use private::Private;

use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use super::caller::Caller;
use super::launcher::Launcher;
use super::options::Options;
use super::secrets::Secrets;
use super::trouble::Trouble;

/// Longer than any answer takes that runs nothing.
const CALL: Duration = Duration::from_secs(30);

/// A service that can be attacked.
pub struct Service {
    /// How to reach it.
    pub caller: Caller,
    /// Who attacks, and who must not notice.
    pub accounts: Accounts,
    /// Ours to look at from outside, and to end.
    pub private: Option<Private>,
    /// What it says of itself.
    pub about: About,
}

/// What a service says of itself.
#[derive(Clone, Debug)]
pub struct About {
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
    /// [`Trouble`].
    pub async fn open(
        options: &Options,
        launcher: &Launcher,
        secrets: &mut Secrets,
    ) -> Result<Self, Trouble> {
        let slow = CALL.mul_f64(options.patience);
        match &options.url {
            Some(url) => {
                let authority = authority(url).ok_or_else(|| Trouble::Url(url.clone()))?;
                let caller = Caller::new(authority);
                let user = options.token.clone().ok_or(Trouble::NoToken)?;
                let accounts = Accounts { user, other: options.other_token.clone() };
                let about = About::of(&caller, slow).await?;
                Ok(Self { caller, accounts, private: None, about })
            }
            None => {
                let private = Private::start(launcher, options.patience, secrets).await?;
                let caller = private.caller().clone();
                let accounts = Accounts::make(&caller, private.password(), secrets, slow).await?;
                let about = About::of(&caller, slow).await?;
                Ok(Self { caller, accounts, private: Some(private), about })
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

impl About {
    async fn of(caller: &Caller, limit: Duration) -> Result<Self, Trouble> {
        let health = asked(caller, Method::GET, "/health", None, None, limit).await?;
        let languages = asked(caller, Method::GET, "/v1/languages", None, None, limit).await?;
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
/// [`Trouble::Call`], or [`Trouble::Refused`] for a status from 300.
pub async fn asked(
    caller: &Caller,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
    limit: Duration,
) -> Result<Value, Trouble> {
    let what = format!("{method} {path}");
    match caller.json(method, path, token, body, limit).await {
        Err(source) => Err(Trouble::Call { what, source }),
        Ok(reply) if reply.status < 300 => Ok(reply.json),
        Ok(reply) => Err(Trouble::Refused { what, status: reply.status, text: reply.text }),
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
