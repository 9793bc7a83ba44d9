//! `GET /v1/languages`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::capabilities::{Capabilities, LanguageInfo};
use crate::domain::limits::Limits;
use crate::domain::run::RunRules;
use crate::http::rest::fields::limits::LimitsAnswer;
use crate::http::rest::health::json::IsolationBody;

/// What really runs here.
#[derive(Debug, Serialize, ToSchema)]
pub struct LanguagesAnswer {
    /// Languages that run.
    pub languages: Vec<LanguageBody>,
    /// Languages that do not; why not is for the operator, and in `/v1/doctor`.
    #[schema(example = json!(["node"]))]
    pub missing: Vec<&'static str>,
    /// What stands between code and the host.
    pub isolation: IsolationBody,
    /// How much a run may use.
    pub limits: LimitRangeBody,
    /// Compiler flags that C runs may use.
    pub compiler_flags: Vec<String>,
}

/// A language that runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct LanguageBody {
    /// python, node, bash or c.
    #[schema(example = "python")]
    pub name: &'static str,
    /// Other names that requests may use.
    pub aliases: Vec<&'static str>,
    /// Of the interpreter or the compiler.
    #[schema(example = "3.11.2")]
    pub version: String,
    /// Packages that can be imported, with their versions.
    pub packages: BTreeMap<String, String>,
    /// What else it can do.
    pub features: Vec<String>,
}

/// How much a run may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitRangeBody {
    /// When it does not say.
    pub defaults: LimitsAnswer,
    /// At most.
    pub maxima: LimitsAnswer,
}

impl LanguagesAnswer {
    /// Of what the worker has, what the operator offers.
    pub fn of(worker: &Capabilities, rules: &RunRules) -> Self {
        let offered = &rules.languages;
        // Time limits are the gateway's to give: the worker only has a ceiling above them.
        let ceiling = worker.max_limits.wall.unwrap_or(rules.max_timeout);
        let defaults =
            Limits { wall: Some(rules.default_timeout), ..worker.default_limits.clone() };
        let maxima =
            Limits { wall: Some(rules.max_timeout.min(ceiling)), ..worker.max_limits.clone() };
        Self {
            languages: worker
                .languages
                .iter()
                .filter(|info| offered.contains(&info.language))
                .cloned()
                .map(language)
                .collect(),
            missing: worker
                .missing
                .iter()
                .filter(|info| offered.contains(&info.language))
                .map(|info| info.language.name())
                .collect(),
            isolation: IsolationBody::of(worker),
            limits: LimitRangeBody {
                defaults: LimitsAnswer::of(&defaults),
                maxima: LimitsAnswer::of(&maxima),
            },
            compiler_flags: worker.compiler_flags.clone(),
        }
    }
}

fn language(info: LanguageInfo) -> LanguageBody {
    let LanguageInfo { language, version, packages, features } = info;
    LanguageBody {
        name: language.name(),
        aliases: language.aliases().to_vec(),
        version,
        packages,
        features,
    }
}
