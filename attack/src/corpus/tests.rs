//! The files are what `attacks/README.md` says that they are.

use super::*;

fn refusal(text: &str) -> String {
    let why = parse("test", &format!("why = \"x\"\n{text}")).map(|_| ()).expect_err("refused");
    why.to_string()
}

#[test]
fn every_file_is_read_and_every_name_is_there_once() {
    let groups = load(&[]).expect("the corpus is well formed");
    let entries: Vec<&Entry> = groups.iter().flat_map(|group| &group.entries).collect();
    assert!(entries.len() >= 500, "{}", entries.len());
    for group in &groups {
        assert!(!group.why.is_empty(), "{}", group.name);
    }
    let routes = entries.iter().filter(|entry| entry.language() == "api").count();
    assert!(routes >= 40, "{routes}");
}

#[test]
fn one_name_for_two_entries_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let again =
        "why = \"x\"\n[[request]]\nname = \"a million files\"\ntries = \"x\"\nexpect = [200]";
    std::fs::write(file.path(), again).expect("written");
    let refused = load(&[file.path().to_owned()]);
    assert!(matches!(&refused, Err(CorpusError::SameName(name)) if name == "a million files"));
}

#[test]
fn an_entry_that_would_assert_nothing_or_is_misspelt_is_refused() {
    let attack = "[[attack]]\nname = \"x\"\nlanguage = \"bash\"\ntries = \"x\"\n";
    assert!(refusal(&format!("{attack}code = \"x\"")).contains("ends"));
    assert!(refusal(&format!("{attack}ends = [\"failed\"]")).contains("code or steps"));
    assert!(
        refusal(&format!("{attack}code = \"x\"\nends = [\"x\"]\nprint = [\"x\"]"))
            .contains("print")
    );
    let request = "[[request]]\nname = \"x\"\ntries = \"x\"\n";
    assert!(refusal(request).contains("expect"));
    assert!(refusal(&format!("{request}expect = [1]\nexpects = [2]")).contains("expects"));
    assert!(
        refusal(&format!("{request}expect = [1]\nrun = {{}}\njson = 1")).contains("more than one")
    );
}

#[test]
fn what_is_different_without_cgroups_is_laid_over_the_rest() {
    let text = "why = \"x\"\n[[attack]]\nname = \"x\"\nlanguage = \"c\"\ntries = \"x\"\ncode = \"x\"\n\
        ends = [\"out_of_memory\"]\nprints = [\"p\"]\ndenied = [\"mmap ENOMEM|EAGAIN\"]\n\
        without_cgroups = { ends = [\"failed\"] }";
    let group = parse("test", text).expect("well formed");
    let Some(Entry::Program(program)) = group.entries.first() else { panic!("a program") };
    assert_eq!(program.expected.ends, ["out_of_memory"]);
    assert_eq!(program.without_cgroups.ends, ["failed"]);
    assert_eq!(program.without_cgroups.prints, program.expected.prints);
    let denied = program.without_cgroups.denied.as_ref().expect("a list");
    assert_eq!(denied[0].reasons, ["ENOMEM", "EAGAIN"]);
}

#[test]
fn pieces_are_joined_repeated_and_numbered() {
    let text = "why = \"x\"\n[[request]]\nname = \"x\"\ntries = \"x\"\nexpect = [422]\n\
        pieces = [{ text = \"f#,\", times = 3, numbered = true }, { base64 = \"/w==\", times = 2 }]";
    let group = parse("test", text).expect("well formed");
    let Some(Entry::Request(request)) = group.entries.first() else { panic!("a request") };
    assert!(matches!(&request.first.body, Body::Bytes(bytes) if bytes == b"f0,f1,f2,\xff\xff"));
}
