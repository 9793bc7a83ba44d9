//! Which worker gets a stateless run or a new session.

use crate::domain::capabilities::{Capabilities, LanguageInfo};
use crate::domain::language::{LanguageFilter, LanguageName, Offer};

/// What was chosen, or why nothing could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<W> {
    /// This worker runs it, and calls the language this.
    Place(W, LanguageInfo),
    /// The language is known, and none of those that are up has it.
    Missing(LanguageName),
    /// Nobody who is up knows the language; these are known.
    UnknownLanguage(Offer),
    /// Nobody is up.
    NobodyUp,
}

/// What can be asked for of workers that are up.
pub fn offer<'a>(
    workers: impl IntoIterator<Item = &'a Capabilities>,
    filter: &LanguageFilter,
) -> Offer {
    let mut offer = Offer::default();
    for account in workers {
        let runs = account.languages.iter().map(|info| (&info.name, &info.aliases));
        let missing = account.missing.iter().map(|info| (&info.name, &info.aliases));
        for (name, aliases) in runs.chain(missing) {
            if filter.offers(name, aliases) {
                offer.add(name, aliases);
            }
        }
    }
    offer
}

/// The first worker that is up and has the language, in the order in which they are configured.
/// `workers` are those that are up, each with its own account of itself.
pub fn choose<'a, W>(
    workers: impl IntoIterator<Item = (W, &'a Capabilities)>,
    wanted: &LanguageName,
    filter: &LanguageFilter,
) -> Choice<W> {
    let workers: Vec<(W, &Capabilities)> = workers.into_iter().collect();
    let offer = offer(workers.iter().map(|(_, account)| *account), filter);
    let (any_up, mut missing) = (!workers.is_empty(), None);
    for (worker, account) in workers {
        let has = account.language(wanted);
        if let Some(info) = has.filter(|info| filter.offers(&info.name, &info.aliases)) {
            return Choice::Place(worker, info.clone());
        }
        let lacks = account.missing.iter().find(|info| info.goes_by(wanted));
        let lacks = lacks.filter(|info| filter.offers(&info.name, &info.aliases));
        missing = missing.or_else(|| lacks.map(|info| info.name.clone()));
    }
    match missing {
        Some(name) => Choice::Missing(name),
        None if any_up => Choice::UnknownLanguage(offer),
        None => Choice::NobodyUp,
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, choose};
    use crate::domain::capabilities::{Capabilities, LanguageInfo, MissingLanguage};
    use crate::domain::language::{LanguageFilter, LanguageName, Offer};

    fn name(text: &str) -> LanguageName {
        LanguageName::parse(text).expect("it is a name")
    }

    /// A worker that has some languages, each `name` or `name/alias`, and lacks others.
    fn worker(has: &[&str], lacks: &[&str]) -> Capabilities {
        let names = |text: &str| {
            let mut names = text.split('/').map(name);
            (names.next().expect("a name"), names.collect::<Vec<_>>())
        };
        let languages = has.iter().map(|text| {
            let (name, aliases) = names(text);
            LanguageInfo { aliases, ..LanguageInfo::named(name) }
        });
        let missing = lacks.iter().map(|text| {
            let (name, aliases) = names(text);
            MissingLanguage { name, aliases, reason: String::new(), remedy: String::new() }
        });
        Capabilities {
            languages: languages.collect(),
            missing: missing.collect(),
            ..Capabilities::default()
        }
    }

    fn placed(workers: &[Capabilities], wanted: &str, filter: &LanguageFilter) -> Choice<usize> {
        choose(workers.iter().enumerate(), &name(wanted), filter)
    }

    #[test]
    fn the_first_that_has_the_language_gets_it() {
        let workers = [
            worker(&["bash/sh"], &["node/js", "perl"]),
            worker(&["python/py", "node/js"], &[]),
            worker(&["python/py"], &[]),
        ];
        let all = LanguageFilter::default();
        let place = |wanted, filter| match placed(&workers, wanted, filter) {
            Choice::Place(at, info) => Some((at, info.name.to_string())),
            Choice::Missing(_) | Choice::UnknownLanguage(_) | Choice::NobodyUp => None,
        };
        assert_eq!(place("py", &all), Some((1, "python".to_owned())));
        assert_eq!(place("sh", &all), Some((0, "bash".to_owned())));
        // What one lacks, another may have.
        assert_eq!(place("js", &all), Some((1, "node".to_owned())));
        assert_eq!(placed(&workers, "perl", &all), Choice::Missing(name("perl")));
        assert_eq!(placed(&[], "python", &all), Choice::NobodyUp);

        let only_node = LanguageFilter::only(vec![name("javascript"), name("node")]);
        assert_eq!(place("python", &only_node), None);
        let mut offered = Offer::default();
        offered.add(&name("node"), &[name("js")]);
        assert_eq!(placed(&workers, "cobol", &only_node), Choice::UnknownLanguage(offered));
        assert!(matches!(placed(&workers, "perl", &only_node), Choice::UnknownLanguage(_)));
    }
}
