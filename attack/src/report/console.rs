//! What the operator reads while it goes on, and at the end. Colour on a terminal, plain text
//! elsewhere (`anstream` decides).

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

use super::{AttackReport, BystanderLatencies, Finding, GroupSummary, harmless};
use crate::bystander::Latencies;
use crate::corpus::{Entry, Group};
use crate::service::ServiceInfo;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const CAUTION: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Where progress goes: standard output, unless that is for JSON.
pub struct Console {
    /// Progress goes to standard error.
    pub json: bool,
}

impl Console {
    fn line(&self, text: &str) {
        if self.json {
            anstream::eprintln!("{text}");
        } else {
            anstream::println!("{text}");
        }
    }

    /// What is attacked.
    pub fn opened(&self, info: &ServiceInfo, url: Option<&str>) {
        let which = url.unwrap_or("a service of our own");
        let ServiceInfo { isolation, cgroups, languages, max_timeout: _ } = info;
        let counted = if *cgroups { "" } else { ", without cgroups" };
        let languages = languages.join(", ");
        self.line(&harmless(&format!(
            "attacking {which} (isolation {isolation}{counted}; {languages})"
        )));
    }

    /// Everything that can be run.
    pub fn list(&self, groups: &[Group]) {
        for group in groups {
            self.line(&format!("{STRONG}{}{STRONG:#}  {}", group.name, harmless(&group.why)));
            for entry in &group.entries {
                let like = match entry {
                    Entry::Program(program) if !program.like.is_empty() => program.like.join(", "),
                    Entry::Program(_) | Entry::Request(_) | Entry::Crowd(_) => String::new(),
                };
                let line = format!("  {:<7} {}  {like}", entry.language(), entry.name());
                self.line(harmless(&line).trim_end());
            }
        }
    }

    /// All that is wrong with one entry.
    pub fn findings(&self, findings: &[Finding]) {
        let Some(Finding { group, name, tries, program, .. }) = findings.first() else {
            return;
        };
        let indented = |text: &str| harmless(text.trim_end()).replace('\n', "\n             ");
        let name = harmless(name);
        self.line(&format!("{BAD}FINDING{BAD:#} {STRONG}{name}{STRONG:#} ({group})"));
        self.line(&format!("    tries    {}", indented(tries)));
        for Finding { violation, known, .. } in findings {
            self.line(&format!(
                "    {BAD}{}{BAD:#}\n    expected {}\n    seen     {}",
                violation.rule.name(),
                indented(&violation.expected),
                indented(&violation.seen),
            ));
            if let Some(why) = known {
                self.line(&format!("    {CAUTION}known    {}{CAUTION:#}", indented(why)));
            }
        }
        if !program.is_empty() {
            self.line(&format!("    {FAINT}program  {}{FAINT:#}", indented(program)));
        }
    }

    /// One group is through.
    pub fn group(&self, group: &GroupSummary) {
        let GroupSummary { name, ran, skipped, wrong, seconds } = group;
        let (style, verdict) = match wrong {
            0 => (GOOD, String::from("held")),
            wrong => (BAD, format!("{wrong} with findings")),
        };
        let skipped = if *skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
        let total: usize = ran.values().sum();
        let counts = counts(ran);
        self.line(&format!(
            "  {name:<12} {style}{verdict}{style:#}: {total} run ({counts}){skipped} {FAINT}{seconds:.1} s{FAINT:#}"
        ));
    }

    /// All of it.
    pub fn verdict(&self, report: &AttackReport) {
        for skipped in &report.skipped {
            let line = format!("skipped: {} ({})", skipped.name, skipped.why);
            self.line(&format!("{CAUTION}{}{CAUTION:#}", harmless(&line)));
        }
        for what in &report.not_looked_at {
            self.line(&format!("{CAUTION}not looked at: {what}{CAUTION:#}"));
        }
        let mut languages: BTreeMap<&'static str, usize> = BTreeMap::new();
        for (language, count) in report.groups.iter().flat_map(|group| &group.ran) {
            *languages.entry(language).or_default() += count;
        }
        for line in &report.log {
            self.line(&format!("{FAINT}log: {}{FAINT:#}", harmless(line)));
        }
        if let Some(BystanderLatencies { before, during }) = &report.bystander {
            self.line(&format!("bystander: {} before, {} during", times(before), times(during)));
        }
        let unknown = report.findings.iter().filter(|finding| finding.known.is_none()).count();
        let (style, verdict) = match (report.held, report.findings.len()) {
            (true, _) if report.counted => {
                (GOOD, String::from("nothing got through, nothing was left"))
            }
            (true, _) => (GOOD, String::from("nothing got through")),
            (false, 0) => (BAD, String::from("nothing was run")),
            (false, findings) if unknown == 0 => {
                (CAUTION, format!("findings: {findings}, all known of a host without cgroups"))
            }
            (false, findings) => (BAD, format!("findings: {findings}")),
        };
        self.line(&format!(
            "{style}{verdict}{style:#}: {} run ({}), {} skipped, isolation {}, {:.0} s",
            report.ran(),
            counts(&languages),
            report.skipped.len(),
            harmless(&report.isolation),
            report.seconds,
        ));
    }

    /// Why it could not be tried.
    pub fn error(&self, error: &str) {
        anstream::eprintln!("{BAD}error{BAD:#}: {}", harmless(error));
    }
}

fn counts(ran: &BTreeMap<&'static str, usize>) -> String {
    let one = |(language, count): (&&'static str, &usize)| format!("{count} {language}");
    ran.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn times(times: &Latencies) -> String {
    let Latencies { answers, p50_ms, p99_ms, max_ms } = times;
    format!("p50 {p50_ms} ms, p99 {p99_ms} ms, max {max_ms} ms of {answers} answers")
}
