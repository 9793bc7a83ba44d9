//! What the fake worker says of itself.

use proto::execution_v1 as wire;

/// Those of its life number `life`, with the `learnt` languages beside those that it always has.
pub fn capabilities(learnt: Vec<wire::LanguageInfo>, life: u32) -> wire::Capabilities {
    let python = wire::LanguageInfo {
        name: "python".to_owned(),
        aliases: vec!["py".to_owned()],
        version: "3.11.2".to_owned(),
        executable: "/usr/bin/python3".to_owned(),
        ..wire::LanguageInfo::default()
    };
    let bash = wire::LanguageInfo {
        name: "bash".to_owned(),
        aliases: vec!["shell".to_owned(), "sh".to_owned()],
        version: "5.2".to_owned(),
        ..wire::LanguageInfo::default()
    };
    let c = wire::LanguageInfo {
        name: "c".to_owned(),
        version: "12.2.0".to_owned(),
        executable: "/usr/bin/gcc".to_owned(),
        compile_ms: Some(60_000),
        compiler_flags: vec!["-O2".to_owned()],
        ..wire::LanguageInfo::default()
    };
    let node = wire::MissingLanguage {
        name: "node".to_owned(),
        aliases: vec!["javascript".to_owned(), "js".to_owned()],
        reason: "not found".to_owned(),
        remedy: "install nodejs".to_owned(),
    };
    let wall = wire::Wall {
        name: "seccomp".to_owned(),
        state: "enforced".to_owned(),
        detail: String::new(),
        remedy: None,
    };
    let quota = wire::Wall {
        name: "cgroup_cpu".to_owned(),
        state: "best_effort".to_owned(),
        detail: "no cpu controller".to_owned(),
        remedy: Some("delegate it".to_owned()),
    };
    let lacks = |info: &wire::MissingLanguage| !learnt.iter().any(|it| it.name == info.name);
    let missing = vec![node].into_iter().filter(lacks).collect();
    wire::Capabilities {
        instance_id: format!("life-{life}"),
        version: "0".to_owned(),
        languages: [vec![python, bash, c], learnt].concat(),
        missing_languages: missing,
        isolation: Some(wire::Isolation { level: "degraded".to_owned(), walls: vec![wall, quota] }),
        limits: Some(wire::LimitRange::default()),
    }
}
