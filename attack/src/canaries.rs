//! What no attack may ever be told: random words in places that belong to somebody else.

use super::judge::{Rule, Violation};

/// Canaries by the place that they are in.
#[derive(Clone, Debug, Default)]
pub struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    /// Makes one that nobody can guess, and remembers it.
    pub fn plant(&mut self, place: &'static str) -> String {
        let secret = format!("{:032x}", rand::random::<u128>());
        self.0.push((place, secret.clone()));
        secret
    }

    /// Says from where something has come.
    pub fn found_in(&self, texts: &[String]) -> Vec<Violation> {
        let leaked = |secret: &str| texts.iter().any(|text| text.contains(secret));
        self.0
            .iter()
            .filter(|(_, secret)| leaked(secret))
            .map(|(place, _)| {
                Violation::new(Rule::Leaked, format!("no {place}"), format!("the {place}"))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_is_and_named_by_its_place_only() {
        let mut canaries = Canaries::default();
        let secret = canaries.plant("file of another user");
        canaries.plant("password of the administrator");
        assert_eq!(canaries.found_in(&[String::from("nothing")]), []);

        let found = canaries.found_in(&[String::from("x"), format!("read: {secret}\n")]);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule, Rule::Leaked);
        assert_eq!(found[0].seen, "the file of another user");
    }
}
