//! `If-Match` and `If-None-Match`: on which versions of a file something is to be done (RFC 9110, section 13).

/// Most versions that a header may name.
pub const MAX_TAGS: usize = 32;

/// What a header of these may be, for the API's document.
pub const TAGS_PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*"){0,31})$"#;

/// Some versions of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    /// Whatever is there.
    Any,
    /// One of these.
    These(Vec<EntityTag>),
}

/// A version, as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag {
    weak: bool,
    text: String,
}

/// What must be so for something to be done: both parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// It has to be one of these: `If-Match`.
    pub is: Option<Versions>,
    /// It must be none of these: `If-None-Match`.
    pub is_not: Option<Versions>,
}

/// Versions that a worker can compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// Whatever is there.
    Any,
    /// One of these.
    These(Vec<String>),
}

impl EntityTags {
    /// Of a header's value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(header: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be '*', or entity tags in double quotes with commas between";
        let mut rest = header.trim_matches([' ', '\t']);
        if rest == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        loop {
            let weak = rest.strip_prefix("W/");
            let quoted = weak.unwrap_or(rest).strip_prefix('"').ok_or(WRONG)?;
            let (text, after) = quoted.split_once('"').ok_or(WRONG)?;
            if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
                return Err(WRONG);
            }
            tags.push(EntityTag { weak: weak.is_some(), text: text.to_owned() });
            let after = after.trim_start_matches([' ', '\t']);
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix(',').ok_or(WRONG)?.trim_start_matches([' ', '\t']);
        }
        if tags.len() > MAX_TAGS {
            return Err("must name at most 32 entity tags");
        }
        Ok(Self::These(tags))
    }

    /// As `If-Match` compares: a weak tag is like no other.
    pub fn compared_strongly(self) -> Versions {
        self.versions(|tag| !tag.weak)
    }

    /// As `If-None-Match` compares.
    pub fn compared_weakly(self) -> Versions {
        self.versions(|_| true)
    }

    fn versions(self, counts: impl Fn(&EntityTag) -> bool) -> Versions {
        match self {
            Self::Any => Versions::Any,
            Self::These(tags) => {
                let tags = tags.into_iter().filter(counts);
                Versions::These(tags.map(|tag| tag.text).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_tags_match_only_weakly() {
        let tags = EntityTags::parse(r#""a", W/"b"  ,"""#).unwrap();
        let these =
            |names: &[&str]| Versions::These(names.iter().map(ToString::to_string).collect());
        assert_eq!(tags.clone().compared_strongly(), these(&["a", ""]));
        assert_eq!(tags.compared_weakly(), these(&["a", "b", ""]));
        assert_eq!(EntityTags::parse(" * "), Ok(EntityTags::Any));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in ["", "a", r#""a"#, r#""a" "b""#, r#""a","#, r#"w/"a""#, r#"*, "a""#, r#""a b""#]
        {
            assert!(EntityTags::parse(bad).is_err(), "{bad}");
        }
        let many = |count: usize| EntityTags::parse(&vec![r#""a""#; count].join(","));
        assert!(many(MAX_TAGS).is_ok() && many(MAX_TAGS + 1).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_the_document_allows_is_taken(
            header in r#"\*|(W/)?"[!#-~]{0,5}"( {0,2}, {0,2}(W/)?"[!#-~]{0,5}"){0,31}"#,
        ) {
            proptest::prop_assert!(EntityTags::parse(&header).is_ok());
        }

        #[test]
        fn any_header_is_a_list_or_none(header in ".*") {
            if let Ok(EntityTags::These(tags)) = EntityTags::parse(&header) {
                proptest::prop_assert!(!tags.is_empty() && tags.len() <= MAX_TAGS);
                proptest::prop_assert!(tags.iter().all(|tag| !tag.text.contains('"')));
            }
        }
    }
}
