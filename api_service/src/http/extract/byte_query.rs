//! Query parameters whose values may be any bytes: paths of files.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::files::{FilePath, decoded};
use crate::http::failure::Failure;

/// Query parameters by their names, percent-decoded.
pub struct ByteQuery(Result<BTreeMap<String, Vec<u8>>, FieldError>);

impl FromRequest for ByteQuery {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(read(request.query_string()))))
    }
}

fn read(query: &str) -> Result<BTreeMap<String, Vec<u8>>, FieldError> {
    let mut found = BTreeMap::new();
    // As forms have it, a plus is a space.
    let plain = |text: &str| decoded(&text.replace('+', " "));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let wrong = |why| FieldError::new("query", why);
        let name = String::from_utf8_lossy(&plain(name).map_err(wrong)?).into_owned();
        let value = plain(value).map_err(|why| FieldError::new(name.clone(), why))?;
        if found.insert(name.clone(), value).is_some() {
            return Err(FieldError::new(name, "is given twice"));
        }
    }
    Ok(found)
}

/// The parameters of a route, taken one by one.
pub struct Parameters {
    left: BTreeMap<String, Vec<u8>>,
    errors: FieldErrors,
}

impl ByteQuery {
    /// To be taken.
    ///
    /// # Errors
    /// When it is no query.
    pub fn parameters(self) -> Result<Parameters, Failure> {
        let left = self.0.map_err(|error| Failure::Invalid(vec![error]))?;
        Ok(Parameters { left, errors: FieldErrors::default() })
    }
}

impl Parameters {
    /// A path; nothing for none, and for the workspace itself.
    pub fn path(&mut self, name: &str) -> Option<FilePath> {
        let bytes = self.left.remove(name).filter(|bytes| !matches!(&**bytes, b"" | b"."))?;
        self.errors.keep(name, FilePath::parse(bytes).map_err(str::to_owned))
    }

    /// True or false.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.left.remove(name).as_deref() {
            None => default,
            Some(b"true") => true,
            Some(b"false") => false,
            Some(_) => {
                self.errors.push(name, "must be true or false");
                default
            }
        }
    }

    /// A whole number of 1 to `most`.
    pub fn number(&mut self, name: &str, default: u32, most: u32) -> u32 {
        let Some(bytes) = self.left.remove(name) else {
            return default;
        };
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok());
        let number = number.filter(|number| (1..=most).contains(number));
        let msg = || format!("must be a whole number from 1 to {most}");
        self.errors.keep(name, number.ok_or_else(msg)).unwrap_or(default)
    }

    /// That they were all right, and that there were no others.
    ///
    /// # Errors
    /// Those that were not.
    pub fn finish(self) -> Result<(), Failure> {
        let Self { left, mut errors } = self;
        for name in left.into_keys() {
            errors.push(name, "is no parameter of this route");
        }
        errors.finish(Some(())).map_err(Failure::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::files::encoded;

    proptest! {
        #[test]
        fn any_bytes_come_as_they_are(bytes in prop::collection::vec(any::<u8>(), 0..30)) {
            let query = format!("path={}&recursive=true", encoded(&bytes));
            prop_assert_eq!(&read(&query).unwrap()["path"], &bytes);
        }

        #[test]
        fn any_query_is_read_or_refused(query in ".*") {
            let _ = read(&query);
        }
    }

    #[test]
    fn what_is_unknown_or_twice_is_refused() {
        assert!(read("a=1&a=2").is_err() && read("a=%").is_err());
        let taken = |query: &str| {
            let mut parameters = ByteQuery(read(query)).parameters().unwrap();
            let path = parameters.path("path").map(|path| path.as_bytes().to_vec());
            let found = (path, parameters.flag("flag", true), parameters.number("n", 5, 9));
            parameters.finish().map(|()| found).map_err(|_| ())
        };
        assert_eq!(taken(""), Ok((None, true, 5)));
        assert_eq!(taken("path=.&n=9"), Ok((None, true, 9)));
        assert_eq!(
            taken("path=a+b%2Fc%ff&flag=false"),
            Ok((Some(b"a b/c\xff".to_vec()), false, 5))
        );
        for bad in ["other=1", "n=0", "n=10", "n=x", "flag=", "flag=1", "path=/etc", "path=a/../b"]
        {
            assert_eq!(taken(bad), Err(()), "{bad}");
        }
    }
}
