//! Every entry of the corpus, one at a time, so that whatever happens has one cause.

mod account;
mod ground;
mod programs;
mod requests;
mod setting;
mod wire;

use std::time::Instant;

use super::bystander::Bystander;
use super::corpus::{Entry, Group};
use super::judge::{Objection, Rule};
use super::launcher::Launcher;
use super::options::Options;
use super::report::{Finding, GroupReport, Noticed, Report, Screen, Skipped};
use super::secrets::Secrets;
use super::service::Service;
use super::trouble::Trouble;
use ground::Ground;
use setting::Setting;

/// What an entry came to.
pub enum Outcome {
    /// It ran, and this is wrong.
    Ran(Vec<Objection>),
    /// It cannot be run here, and why.
    Skipped(String),
}

/// An attack under way.
struct Campaign<'a> {
    setting: Setting,
    bystander: Option<Bystander>,
    ground: Option<Ground>,
    screen: &'a Screen,
    report: Report,
}

/// Runs everything against a service of our own or a live one.
///
/// # Errors
/// [`Trouble`], when it could not be tried; an attack that gets through is in the report.
pub async fn run(
    options: &Options,
    launcher: &Launcher,
    groups: &[Group],
    screen: &Screen,
) -> Result<Report, Trouble> {
    let begun = Instant::now();
    let mut secrets = Secrets::default();
    let service = Service::open(options, launcher, &mut secrets).await?;
    screen.opened(&service.about, options.url.as_deref());
    let mut campaign = Campaign::prepare(options, &service, secrets, screen).await?;
    for group in groups {
        campaign.group(group).await;
    }
    let (mut report, secrets) = campaign.conclude().await;
    if let Some(private) = service.private {
        let log = private.log();
        report.explain(&log);
        let leaked = secrets.leaked(&[log]);
        report.add("the log", "What both services have written all the while.", leaked, screen);
        let left = private.stop().into_iter();
        let left = left.map(|left| Objection::new(Rule::Remained, "nothing", left)).collect();
        report.add("the end", "What is left of the service itself.", left, screen);
    }
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

impl<'a> Campaign<'a> {
    async fn prepare(
        options: &Options,
        service: &Service,
        mut secrets: Secrets,
        screen: &'a Screen,
    ) -> Result<Self, Trouble> {
        let mut report = Report::new(service.about.clone());
        let mut bystander = match &service.accounts.other {
            Some(token) => {
                let (caller, languages) = (&service.caller, &service.about.languages);
                let patience = options.patience;
                Bystander::arrive(caller, token, languages, &mut secrets, patience).await?
            }
            None => None,
        };
        let setting = Setting::up(service, bystander.as_ref(), secrets, options.patience).await?;
        setting.warm_up().await?;
        let ground = match &service.private {
            Some(private) => {
                let (place, metrics) = (private.place(), private.metrics().clone());
                Some(Ground::of(place, metrics, options.patience)?)
            }
            None => None,
        };
        report.counted = ground.is_some();
        report.not_looked_at = match &ground {
            Some(ground) => ground.not_looked_at(),
            None => vec![String::from("the host of a live service")],
        };
        match &mut bystander {
            Some(bystander) => {
                bystander.get_used().await;
                bystander.go_on();
            }
            None => report.not_looked_at.push(String::from(
                "another user (needs Python, Node or Bash, and CRUCIBLE_OTHER_TOKEN with --url)",
            )),
        }
        Ok(Self { setting, bystander, ground, screen, report })
    }

    async fn group(&mut self, group: &Group) {
        let begun = Instant::now();
        let mut counted = GroupReport::new(&group.name);
        for entry in &group.entries {
            let outcome = match entry {
                Entry::Program(program) => self.setting.program(program).await,
                Entry::Request(request) => self.setting.request(request).await,
            };
            let mut objections = match outcome {
                Outcome::Ran(objections) => objections,
                Outcome::Skipped(why) => {
                    counted.skipped += 1;
                    self.report.skipped.push(Skipped { name: entry.name().into(), why });
                    continue;
                }
            };
            objections.extend(self.ground.iter_mut().flat_map(Ground::left_behind));
            objections.extend(self.bystander.iter().flat_map(Bystander::objections));
            counted.count(entry.language(), &objections);
            let cgroups = self.report.cgroups;
            let finding = |objection| Finding::about(&group.name, entry, objection, cgroups);
            let findings: Vec<Finding> = objections.into_iter().map(finding).collect();
            self.screen.findings(&findings);
            self.report.findings.extend(findings);
        }
        counted.seconds = begun.elapsed().as_secs_f64();
        self.screen.group(&counted);
        self.report.groups.push(counted);
    }

    /// After everything: the counts are those from before everything, with nobody there.
    async fn conclude(mut self) -> (Report, Secrets) {
        let screen = self.screen;
        if let Some(mut bystander) = self.bystander.take() {
            bystander.pause().await;
            let (before, during) = bystander.times();
            self.report.bystander = Some(Noticed { before, during });
            self.report.add("the bystander", "Its last answers.", bystander.objections(), screen);
        }
        if let Some(ground) = &self.ground {
            let left = ground.left_after_all();
            self.report.add("the whole suite", "What is left of all of it.", left, screen);
            let (unaccounted, metrics) = ground.unaccounted().await;
            if unaccounted.is_none() {
                let what = "the worker's own account (there is none in its metrics)";
                self.report.not_looked_at.push(String::from(what));
            }
            let mut objections = unaccounted.unwrap_or_default();
            objections.extend(self.setting.secrets.leaked(&[metrics]));
            self.report.add("the metrics", "What the service knows of itself.", objections, screen);
        }
        self.setting.leave().await;
        (self.report, self.setting.secrets)
    }
}
