//! Every entry of the corpus, one at a time, so that whatever happens has one cause.

mod baseline;
mod crowds;
mod fixtures;
mod inventory;
mod prepared_request;
mod programs;
mod requests;

use std::time::Instant;

use super::bystander::Bystander;
use super::canaries::Canaries;
use super::corpus::{Entry, Group};
use super::error::AttackError;
use super::judge::{Rule, Violation};
use super::launcher::Launcher;
use super::options::Options;
use super::report::{AttackReport, BystanderLatencies, Console, Finding, GroupSummary, Skipped};
use super::service::Service;
use baseline::Baseline;
use fixtures::Fixtures;

/// What an entry came to.
pub enum Outcome {
    /// It ran, and this is wrong.
    Ran(Vec<Violation>),
    /// It cannot be run here, and why.
    Skipped(String),
}

/// An attack under way.
struct Runner<'a> {
    fixtures: Fixtures,
    bystander: Option<Bystander>,
    baseline: Option<Baseline>,
    console: &'a Console,
    report: AttackReport,
}

/// Runs everything against a service of our own or a live one.
///
/// # Errors
/// [`AttackError`], when it could not be tried; an attack that gets through is in the report.
pub async fn run(
    options: &Options,
    launcher: &Launcher,
    groups: &[Group],
    console: &Console,
) -> Result<AttackReport, AttackError> {
    let begun = Instant::now();
    let mut canaries = Canaries::default();
    let service = Service::open(options, launcher, &mut canaries).await?;
    console.opened(&service.info, options.url.as_deref());
    let mut runner = Runner::prepare(options, &service, canaries, console).await?;
    for group in groups {
        runner.group(group).await;
    }
    let (mut report, canaries) = runner.conclude().await;
    if let Some(ephemeral) = service.ephemeral {
        let log = ephemeral.log();
        report.explain(&log);
        let leaked = canaries.found_in(&[log]);
        report.add("the log", "What both services have written all the while.", leaked, console);
        let left = ephemeral.stop().into_iter();
        let left = left.map(|left| Violation::new(Rule::Remained, "nothing", left)).collect();
        report.add("the end", "What is left of the service itself.", left, console);
    }
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

impl<'a> Runner<'a> {
    async fn prepare(
        options: &Options,
        service: &Service,
        mut canaries: Canaries,
        console: &'a Console,
    ) -> Result<Self, AttackError> {
        let mut report = AttackReport::new(service.info.clone());
        let mut bystander = match &service.accounts.other {
            Some(token) => {
                let (client, languages) = (&service.client, &service.info.languages);
                let patience = options.patience;
                Bystander::start_session(client, token, languages, &mut canaries, patience).await?
            }
            None => None,
        };
        let fixtures =
            Fixtures::up(service, bystander.as_ref(), canaries, options.patience).await?;
        fixtures.warm_up().await?;
        let baseline = match &service.ephemeral {
            Some(ephemeral) => {
                let (running, metrics) = (ephemeral.running(), ephemeral.metrics().clone());
                Some(Baseline::of(running, metrics, options.patience)?)
            }
            None => None,
        };
        report.counted = baseline.is_some();
        report.not_looked_at = match &baseline {
            Some(baseline) => baseline.not_looked_at(),
            None => vec![String::from("the host of a live service")],
        };
        match &mut bystander {
            Some(bystander) => {
                bystander.measure_baseline().await;
                bystander.resume();
            }
            None => report.not_looked_at.push(String::from(
                "another user (needs Python, Node or Bash, and CRUCIBLE_OTHER_TOKEN with --url)",
            )),
        }
        Ok(Self { fixtures, bystander, baseline, console, report })
    }

    async fn group(&mut self, group: &Group) {
        let begun = Instant::now();
        let mut counted = GroupSummary::new(&group.name);
        for entry in &group.entries {
            let outcome = match entry {
                Entry::Program(program) => self.fixtures.program(program).await,
                Entry::Request(request) => self.fixtures.request(request).await,
                Entry::Crowd(crowd) => self.fixtures.crowd(crowd).await,
            };
            let mut violations = match outcome {
                Outcome::Ran(violations) => violations,
                Outcome::Skipped(why) => {
                    counted.skipped += 1;
                    self.report.skipped.push(Skipped { name: entry.name().into(), why });
                    continue;
                }
            };
            violations.extend(self.baseline.iter_mut().flat_map(Baseline::left_behind));
            violations.extend(self.bystander.iter().flat_map(Bystander::violations));
            counted.count(entry.language(), &violations);
            let cgroups = self.report.cgroups;
            let finding = |violation| Finding::about(&group.name, entry, violation, cgroups);
            let findings: Vec<Finding> = violations.into_iter().map(finding).collect();
            self.console.findings(&findings);
            self.report.findings.extend(findings);
        }
        counted.seconds = begun.elapsed().as_secs_f64();
        self.console.group(&counted);
        self.report.groups.push(counted);
    }

    /// After everything: the counts are those from before everything, with nobody there.
    async fn conclude(mut self) -> (AttackReport, Canaries) {
        let console = self.console;
        if let Some(mut bystander) = self.bystander.take() {
            bystander.pause().await;
            let (before, during) = bystander.latencies();
            self.report.bystander = Some(BystanderLatencies { before, during });
            self.report.add("the bystander", "Its last answers.", bystander.violations(), console);
        }
        if let Some(baseline) = &self.baseline {
            let left = baseline.left_after_all();
            self.report.add("the whole suite", "What is left of all of it.", left, console);
            let (unaccounted, metrics) = baseline.unaccounted().await;
            if unaccounted.is_none() {
                let what = "the worker's own account (there is none in its metrics)";
                self.report.not_looked_at.push(String::from(what));
            }
            let mut violations = unaccounted.unwrap_or_default();
            violations.extend(self.fixtures.canaries.found_in(&[metrics]));
            self.report.add(
                "the metrics",
                "What the service knows of itself.",
                violations,
                console,
            );
        }
        self.fixtures.leave().await;
        (self.report, self.fixtures.canaries)
    }
}
