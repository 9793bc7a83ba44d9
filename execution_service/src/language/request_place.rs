//! Where below the request directory the requests of one context are: several interpreters of one sandbox must
//! not read each other's.

use crate::sandbox::spec::REQUEST_DIR;

/// The place of one context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestPlace(Option<u32>);

impl RequestPlace {
    /// The request directory itself: for the only context, or the first one.
    pub const FIRST: Self = Self(None);

    /// That of one more, by a number that no other context of the sandbox has.
    pub fn numbered(number: u32) -> Self {
        Self(Some(number))
    }

    /// The file `name`, below the request directory.
    pub fn file(self, name: &str) -> String {
        match self.0 {
            None => String::from(name),
            Some(number) => format!("{number}/{name}"),
        }
    }

    /// The file `name` in the request directory itself, which is always there: for what others than init make or open.
    pub fn beside(self, name: &str) -> String {
        match self.0 {
            None => String::from(name),
            Some(number) => format!("{name}-{number}"),
        }
    }

    /// The path of its directory inside the sandbox.
    pub fn directory(self) -> String {
        match self.0 {
            None => String::from(REQUEST_DIR),
            Some(number) => format!("{REQUEST_DIR}/{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_places_have_a_name_in_common() {
        let (first, second) = (RequestPlace::FIRST, RequestPlace::numbered(2));
        assert_eq!((first.file("stdin"), second.file("stdin")), ("stdin".into(), "2/stdin".into()));
        assert_eq!((first.beside("in"), second.beside("in")), ("in".into(), "in-2".into()));
        assert_eq!(second.directory(), format!("{}/2", first.directory()));
    }
}
