//! What is said of a file in the headers of an answer.

use std::time::{Duration, UNIX_EPOCH};

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG, HttpDate, LAST_MODIFIED};

use crate::domain::files::FileInfo;

/// The entity tag of a version.
pub(super) fn entity_tag(version: &str) -> String {
    format!("\"{version}\"")
}

/// Which version it is.
pub(super) fn version(response: &mut HttpResponseBuilder, info: &FileInfo) {
    if let Some(version) = &info.version {
        response.insert_header((ETAG, entity_tag(version)));
    }
    // Programs set any time; HTTP has dates from 1970 to 9999.
    if let Ok(millis) = u64::try_from(info.modified_at.millis()) {
        let time = UNIX_EPOCH + Duration::from_millis(millis);
        response.insert_header((LAST_MODIFIED, HttpDate::from(time)));
    }
}

/// That it is to be stored under this name, and not to be shown.
pub(super) fn attachment(response: &mut HttpResponseBuilder, name: &[u8]) {
    response.insert_header((CONTENT_DISPOSITION, disposition(name)));
}

/// By RFC 6266: a plain name for everybody, and the whole one for those who can read it.
fn disposition(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -._".contains(c);
    let plain: String = text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain == text {
        return format!("attachment; filename=\"{plain}\"");
    }
    let encoded = crate::domain::files::encoded(text.as_bytes()).replace('/', "%2F");
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_told_twice_if_they_are_not_plain() {
        assert_eq!(disposition(b"a b.csv"), "attachment; filename=\"a b.csv\"");
        let expected = "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A4.txt";
        assert_eq!(disposition("ä.txt".as_bytes()), expected);
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_the_header(name in prop::collection::vec(any::<u8>(), 1..60)) {
            let header = disposition(&name);
            prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\'));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
