//! What the running services say of themselves, asked through the front door like anybody's client, and
//! as the administrator, who is told of the host.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use api_service::config::Settings;
use api_service::operator::operator_token;
use serde::Deserialize;

use super::service::Service;

const POLL: Duration = Duration::from_millis(50);
const ONE_ANSWER: Duration = Duration::from_secs(5);

/// The services' own account, taken when both have answered for the first time.
pub(super) struct View {
    port: u16,
    pub(super) doctor: Doctor,
    pub(super) languages: Languages,
}

/// `GET /v1/doctor`: how well the sandboxes are separated from the host, and what does not run.
#[derive(Debug, Deserialize)]
pub(super) struct Doctor {
    /// `full` or `degraded`
    pub(super) level: String,
    pub(super) walls: Vec<Wall>,
    pub(super) missing: Vec<Missing>,
}

/// One layer of the isolation.
#[derive(Debug, Deserialize)]
pub(super) struct Wall {
    pub(super) name: String,
    /// `enforced`, `best_effort` or `missing`
    pub(super) state: String,
    pub(super) detail: String,
    /// Nothing for one that is enforced.
    pub(super) remedy: Option<String>,
}

/// `GET /v1/languages`
#[derive(Debug, Deserialize)]
pub(super) struct Languages {
    pub(super) languages: Vec<Language>,
}

/// A language that runs.
#[derive(Debug, Deserialize)]
pub(super) struct Language {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) packages: BTreeMap<String, String>,
}

/// A language that does not.
#[derive(Debug, Deserialize)]
pub(super) struct Missing {
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) remedy: String,
}

impl View {
    /// Waits until the gateway has bound its port and says that it and the worker are ready.
    ///
    /// # Errors
    /// When that takes longer than `patience`, with the last thing that was heard.
    pub(super) async fn of(
        gateway: &Service,
        settings: &Settings,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(ONE_ANSWER).no_proxy().build()?;
        let asked = Instant::now();
        loop {
            let not_yet = match gateway.address() {
                None => anyhow!("the gateway has not bound its port"),
                Some(address) => match Self::now(&client, address, settings).await {
                    Ok(view) => return Ok(view),
                    Err(error) => error,
                },
            };
            if asked.elapsed() > patience {
                return Err(not_yet.context(format!("not ready after {} s", patience.as_secs())));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn now(
        client: &reqwest::Client,
        address: SocketAddr,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let url = format!("http://{}", reachable(address));
        let get = async |path: &str, token: &str| {
            let answer = client.get(format!("{url}{path}")).bearer_auth(token).send().await?;
            answer.error_for_status()
        };
        get("/readyz", "").await?;
        let token = operator_token(settings).await?;
        Ok(Self {
            port: address.port(),
            doctor: get("/v1/doctor", &token).await?.json().await?,
            languages: get("/v1/languages", "").await?.json().await?,
        })
    }

    /// The address to call from this machine, when the gateway listens on `host`.
    pub(super) fn url(&self, host: IpAddr) -> String {
        format!("http://{}", reachable(SocketAddr::new(host, self.port)))
    }
}

/// "Every interface" is no address to connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
