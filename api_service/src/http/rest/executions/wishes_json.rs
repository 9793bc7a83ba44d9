//! What the caller of a run wants of its answer.

use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};

use super::artifact_json::address;
use crate::domain::field_error::FieldErrors;
use crate::domain::model_text::{DEFAULT_CHARACTERS, ForModel, MAX_CHARACTERS, MIN_CHARACTERS};
use crate::domain::wishes::{AnswerForm, LargeResults, MAX_PATTERN, MAX_PATTERNS, Wishes};

/// What stands in no pattern: `*`, `**` and `?` are all there is beside plain characters.
const NO_PATTERN: [char; 6] = ['\0', '[', ']', '{', '}', '\\'];

/// Checks everything at once.
pub(super) fn parse(
    for_model: Option<u32>,
    answer: Option<String>,
    collect: Option<Vec<String>>,
    large_results: Option<&str>,
    errors: &mut FieldErrors,
) -> Wishes {
    let form = answer.map(|word| {
        AnswerForm::parse(&word).ok_or_else(|| one_of(AnswerForm::ALL.map(AnswerForm::name)))
    });
    let form = errors.keep("answer", form.transpose()).flatten().unwrap_or_default();
    let large = large_results.map(|word| {
        LargeResults::parse(word).ok_or_else(|| one_of(LargeResults::ALL.map(LargeResults::name)))
    });
    let large = errors.keep("large_results", large.transpose()).flatten().unwrap_or_default();
    let collect = collect.unwrap_or_default();
    check_patterns(&collect, errors);
    // A compact answer is nothing without a text.
    let for_model = for_model.or((form == AnswerForm::Compact).then_some(DEFAULT_CHARACTERS));
    let for_model = errors.keep("for_model", for_model.map(checked_for_model).transpose());
    Wishes { for_model: for_model.flatten(), form, collect, large_results: large }
}

fn checked_for_model(characters: u32) -> Result<ForModel, String> {
    if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&characters) {
        return Err(format!("must be {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"));
    }
    let characters = usize::try_from(characters).unwrap_or(usize::MAX);
    Ok(ForModel { characters, address })
}

fn check_patterns(patterns: &[String], errors: &mut FieldErrors) {
    if patterns.len() > MAX_PATTERNS {
        errors.push("collect", format!("must have at most {MAX_PATTERNS} patterns"));
        return;
    }
    for (index, pattern) in patterns.iter().enumerate() {
        let loc = format!("collect[{index}]");
        if pattern.is_empty() || pattern.chars().count() > MAX_PATTERN {
            errors.push(loc, format!("must have 1 to {MAX_PATTERN} characters"));
        } else if pattern.split('/').any(|name| matches!(name, "" | "." | "..")) {
            errors.push(loc, "must be relative to the workspace, without '.', '..' or empty names");
        } else if pattern.contains(NO_PATTERN) {
            let told = "must not contain NUL, '\\' or brackets: give each alternative as a pattern \
                        of its own, and '?' for a character that cannot be written";
            errors.push(loc, told);
        }
    }
}

fn one_of(words: [&str; 2]) -> String {
    format!("must be {}", words.join(" or "))
}

/// Of `for_model`.
pub(super) fn for_model_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .description(Some(
            "Asks for `text`: what a model should read, in so many characters at most. Output comes in \
             its order, without colours, and its middle makes way before an error does.",
        ))
        .minimum(Some(MIN_CHARACTERS))
        .maximum(Some(MAX_CHARACTERS))
        .build()
}

/// Of `answer`.
pub(super) fn answer_schema() -> Object {
    words(
        "How much of the answer is sent: `full`, as without it, or `compact`: status, exit_code and \
         text, which has 8000 characters at most where `for_model` says nothing.",
        AnswerForm::ALL.map(AnswerForm::name),
    )
}

/// Of `large_results`.
pub(super) fn large_results_schema() -> Object {
    words(
        "Where values of results above 64 KiB are: `inline`, as without it, or `url`: they are stored as \
         artifacts, where there is room, and the result says in `stored` where they can be fetched.",
        LargeResults::ALL.map(LargeResults::name),
    )
}

/// Of `collect`.
pub(super) fn collect_schema() -> Array {
    let pattern = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_PATTERN))
        .pattern(Some(r"^[^/\u0000\[\]{}\\][^\u0000\[\]{}\\]*$"));
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .description(Some(
            "Files of the workspace that the answer brings as `artifacts`, as they are when the program \
             has ended. `*` stands for any bytes but a slash, `**` for any directories, `?` for one byte; \
             upper and lower case differ. Regular files only: at most 100, of 32 MiB each and 64 MiB \
             together.",
        ))
        .items(pattern)
        .max_items(Some(MAX_PATTERNS))
        .build()
}

fn words(about: &str, words: [&'static str; 2]) -> Object {
    let words = words.map(|word| Some(word.to_owned())).into_iter().chain([None]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(about))
        .enum_values(Some(words.collect::<Vec<_>>()))
        .build()
}
