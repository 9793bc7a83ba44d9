//! A journal may end anywhere, and hold anything: what is whole in it is read.

use std::fs::File;

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::journal::{Change, left_behind};
use crate::domain::ids::ExecutionId;

/// Ids of the changes that are read from a file of such content.
fn read(content: &[u8]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("gwb_0-0.journal"), content).unwrap();
    let files = left_behind(folder.path()).unwrap();
    files[0].changes().unwrap().iter().map(|change| change.execution().to_owned()).collect()
}

fn lines(count: usize) -> (Vec<String>, Vec<Vec<u8>>) {
    let ids: Vec<ExecutionId> = (0..count).map(|_| ExecutionId::generate()).collect();
    let lines = ids.iter().map(|id| Change::TakeBack(id.clone()).to_line().unwrap()).collect();
    (ids.iter().map(ToString::to_string).collect(), lines)
}

proptest! {
    #[test]
    fn any_content_is_read_without_harm(content in vec(any::<u8>(), 0..500)) {
        read(&content);
    }

    #[test]
    fn whole_lines_survive_a_torn_end(count in 1..8_usize, torn in any::<prop::sample::Index>()) {
        let (ids, lines) = lines(count);
        let content = lines.concat();
        let end = torn.index(content.len() + 1);
        let whole = content[..end].iter().filter(|byte| **byte == b'\n').count();
        // The last line may be whole but for its end.
        let last = usize::from(content.get(end) == Some(&b'\n'));
        prop_assert_eq!(read(&content[..end]), &ids[..whole + last]);
    }

    #[test]
    fn whole_lines_survive_garbage_between_them(garbage in vec(vec(any::<u8>(), 0..80), 1..6)) {
        let (ids, lines) = lines(garbage.len());
        let mut content = Vec::new();
        for (line, junk) in lines.iter().zip(&garbage) {
            content.extend(junk.iter().filter(|byte| **byte != b'\n'));
            content.push(b'\n');
            content.extend(line);
        }
        prop_assert_eq!(read(&content), ids);
    }
}

#[test]
fn a_row_that_means_nothing_is_left_out() {
    let row = |id: &str, state: &str, language: &str| {
        format!(
            "{{\"put\":{{\"id\":\"{id}\",\"user_id\":\"usr_1\",\"session_id\":null,\
             \"language\":\"{language}\",\"state\":\"{state}\",\"boot_id\":\"gwb_1\",\
             \"created_at\":1,\"finished_at\":null,\"report\":null}}}}\n"
        )
    };
    let content = [
        row("exe_1", "running", "python"),
        row("../2", "running", "python"),
        row("exe_3", "sideways", "python"),
        row("exe_4", "running", "Cobol"),
    ];
    assert_eq!(read(content.concat().as_bytes()), ["exe_1"]);
}

#[test]
fn an_empty_folder_and_other_files_are_no_journals() {
    let folder = TempDir::new().unwrap();
    File::create(folder.path().join("notes.txt")).unwrap();
    assert!(left_behind(folder.path()).unwrap().is_empty());
}
