//! Executables that compilers have made before, so that the same source is not compiled twice.
//!
//! An owner finds only what was compiled for that owner: whether somebody else has compiled the same
//! text must not be told, not even by the time an answer takes. What is kept here was written in the
//! owner's own sandbox, before any code of that sandbox had run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::sandbox::workspace::WorkspaceFile;

/// What a compiler can see that is another thing next time: clocks, files that the kernel makes up, and
/// the assembler's way to take in any file.
const CHANGING: [&str; 7] =
    ["__DATE__", "__TIME__", "__TIMESTAMP__", "/proc", "/sys", "/dev", "incbin"];
/// By which such a name can be made of pieces: the operator of macros, its other spellings, and a line
/// that goes on.
const ASSEMBLING: [&str; 5] = ["##", "%:", "??", "\\\n", "\\\r"];

/// What a compilation depends on, as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CompilationKey([u8; 32]);

/// Everything that decides what a compiler makes.
#[derive(Clone, Copy, Debug)]
pub struct Compilation<'a> {
    /// Whose run it is.
    pub owner: &'a str,
    /// Path and version of the compiler.
    pub compiler: &'a str,
    /// Its arguments, in their order.
    pub arguments: &'a [String],
    /// The source text.
    pub source: &'a str,
    /// All that lies beside it.
    pub files: &'a [WorkspaceFile],
}

impl Compilation<'_> {
    /// Whether the same texts make the same executable at any time.
    ///
    /// What is not plainly so is compiled again. Whoever hides a clock well enough gets his own earlier
    /// program, and nobody else gets it.
    pub fn is_repeatable(&self) -> bool {
        let arguments = self.arguments.iter().map(String::as_str);
        let changes =
            |text: &str| CHANGING.iter().chain(&ASSEMBLING).any(|sign| text.contains(sign));
        !arguments.chain([self.source]).any(changes)
            && !self.files.iter().any(|file| changes(&String::from_utf8_lossy(&file.content)))
    }

    /// Two compilations have the same key exactly if they agree in everything.
    pub fn key(&self) -> CompilationKey {
        let mut hash = Sha256::new();
        let parts = [self.owner, self.compiler].into_iter();
        let parts = parts.chain(self.arguments.iter().map(String::as_str)).chain([self.source]);
        let files = self.files.iter().map(|file| [file.path.as_str().as_bytes(), &file.content]);
        // How many of each kind there are: an argument is no file.
        hash.update((self.arguments.len() as u64).to_le_bytes());
        for part in parts.map(str::as_bytes).chain(files.flatten()) {
            // With its length: "ab", "c" is not "a", "bc".
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        CompilationKey(hash.finalize().into())
    }
}

/// What came of a compilation that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The executable.
    pub executable: Vec<u8>,
    /// What the compiler said: the warnings belong to every answer.
    pub warnings: Vec<u8>,
}

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Of executables and warnings together.
    pub bytes: usize,
    /// Number of compilations.
    pub entries: usize,
    /// Since it was compiled, however often it was used: headers of the system may have changed.
    pub age: Duration,
}

struct Entry {
    compiled: Arc<Compiled>,
    made: Instant,
    used: u64,
}

/// The compiled programs of a worker, by the hash of what they were made from. Those that have not been used
/// for longest go first.
pub struct CompiledPrograms {
    bounds: Bounds,
    entries: HashMap<CompilationKey, Entry>,
    bytes: usize,
    uses: u64,
}

impl CompiledPrograms {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, entries: HashMap::new(), bytes: 0, uses: 0 }
    }

    /// What all of them hold.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was made of the same compilation before, if it is still here at the time `now`.
    pub fn find(&mut self, key: CompilationKey, now: Instant) -> Option<Arc<Compiled>> {
        let entry = self.entries.get_mut(&key)?;
        if now.saturating_duration_since(entry.made) > self.bounds.age {
            self.remove(key);
            return None;
        }
        self.uses += 1;
        entry.used = self.uses;
        Some(Arc::clone(&entry.compiled))
    }

    /// Keeps `compiled`, which was made at `now`. One that is larger than a quarter of everything is
    /// not kept: it would drive out what many runs use.
    pub fn keep(&mut self, key: CompilationKey, compiled: Compiled, now: Instant) {
        self.remove(key);
        let size = size(&compiled);
        if size > self.bounds.bytes / 4 || self.bounds.entries == 0 {
            return;
        }
        while self.bytes + size > self.bounds.bytes || self.entries.len() >= self.bounds.entries {
            // A few thousand entries at most, and a compilation has just been paid for.
            let Some(oldest) =
                self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key)
            else {
                break;
            };
            self.remove(oldest);
        }
        self.bytes += size;
        self.uses += 1;
        let entry = Entry { compiled: Arc::new(compiled), made: now, used: self.uses };
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: CompilationKey) {
        if let Some(entry) = self.entries.remove(&key) {
            self.bytes -= size(&entry.compiled);
        }
    }
}

fn size(compiled: &Compiled) -> usize {
    compiled.executable.len() + compiled.warnings.len()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sandbox::workspace::WorkspacePath;

    const BOUNDS: Bounds = Bounds { bytes: 100, entries: 3, age: Duration::from_secs(60) };

    fn key(owner: &str, source: &str) -> CompilationKey {
        Compilation { owner, compiler: "gcc 12", arguments: &[], source, files: &[] }.key()
    }

    fn file(path: &str, content: &str) -> WorkspaceFile {
        let path = WorkspacePath::parse(path).expect("a clean path");
        WorkspaceFile { path, content: content.as_bytes().to_vec() }
    }

    fn program(bytes: usize) -> Compiled {
        Compiled { executable: vec![7; bytes], warnings: Vec::new() }
    }

    #[test]
    fn everything_that_matters_is_in_the_key() {
        let arguments = [String::from("-O2")];
        let split = [String::from("-O"), String::from("2")];
        let one = Compilation {
            owner: "a",
            compiler: "gcc",
            arguments: &arguments,
            source: "int x;",
            files: &[],
        };
        let (named, filled) = ([file("a.c", "")], [file("a", ".c")]);
        assert_eq!(one.key(), one.key());
        for other in [
            Compilation { owner: "b", ..one },
            Compilation { compiler: "gcc 13", ..one },
            Compilation { arguments: &[], ..one },
            Compilation { arguments: &split, ..one },
            Compilation { source: "int y;", ..one },
            Compilation { owner: "ag", compiler: "cc", ..one },
            Compilation { files: &named, ..one },
            Compilation { files: &filled, ..one },
        ] {
            assert_ne!(one.key(), other.key(), "{other:?}");
        }
    }

    #[test]
    fn what_tells_the_time_is_compiled_again() {
        let source = "#include <stdio.h>\nint main(void) { puts(__TIME__); }";
        let clock = Compilation { owner: "a", compiler: "gcc", arguments: &[], source, files: &[] };
        assert!(!clock.is_repeatable());
        for other in [
            "#include \"/proc/uptime\"",
            "asm(\".incbin \\\"main.c\\\"\");",
            "#define GLUE(a, b) a ## b",
            "__TI\\\nME__",
        ] {
            assert!(!Compilation { source: other, ..clock }.is_repeatable(), "{other}");
            let files = [file("x.h", other)];
            let beside = Compilation { source: "", files: &files, ..clock };
            assert!(!beside.is_repeatable(), "{other}");
        }
        let flag = [String::from("-DNOW=__TIME__")];
        let plain = Compilation { source: "int main(void) { return 0; }", ..clock };
        assert!(!Compilation { arguments: &flag, ..plain }.is_repeatable());
        assert!(plain.is_repeatable());
    }

    #[test]
    fn owners_do_not_share() {
        let now = Instant::now();
        let mut programs = CompiledPrograms::new(BOUNDS);
        programs.keep(key("a", "x"), program(1), now);
        assert!(programs.find(key("a", "x"), now).is_some());
        assert!(programs.find(key("b", "x"), now).is_none());
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let now = Instant::now();
        let mut programs = CompiledPrograms::new(BOUNDS);
        for source in ["1", "2", "3"] {
            programs.keep(key("a", source), program(1), now);
        }
        assert!(programs.find(key("a", "1"), now).is_some());
        programs.keep(key("a", "4"), program(1), now);
        let left =
            ["1", "2", "3", "4"].map(|source| programs.find(key("a", source), now).is_some());
        assert_eq!(left, [true, false, true, true]);
    }

    #[test]
    fn bytes_are_bounded() {
        let now = Instant::now();
        let mut programs = CompiledPrograms::new(Bounds { entries: 100, ..BOUNDS });
        for source in 0..20 {
            programs.keep(key("a", &source.to_string()), program(25), now);
        }
        assert_eq!((programs.bytes, programs.entries.len()), (100, 4));
        programs.keep(key("a", "large"), program(26), now);
        assert!(programs.find(key("a", "large"), now).is_none());
        programs.keep(key("a", "19"), program(1), now);
        assert_eq!(programs.bytes, 76);
    }

    #[test]
    fn nothing_outlives_its_time_however_often_it_is_used() {
        let now = Instant::now();
        let mut programs = CompiledPrograms::new(BOUNDS);
        programs.keep(key("a", "x"), program(1), now);
        assert!(programs.find(key("a", "x"), now + Duration::from_secs(59)).is_some());
        assert!(programs.find(key("a", "x"), now + Duration::from_secs(61)).is_none());
        assert_eq!(programs.bytes, 0);
    }

    type Parts = (String, String, Vec<String>, String, Vec<WorkspaceFile>);

    /// Of few letters, so that two of them differ in little more than in where one part ends.
    fn parts() -> impl Strategy<Value = Parts> {
        let files = vec(("[ab]{1,2}", "[ab]{0,2}"), 0..3)
            .prop_map(|files| files.iter().map(|(path, text)| file(path, text)).collect());
        ("[ab]{0,3}", "[ab]{0,3}", vec("[ab]{0,2}", 0..3), "[ab]{0,3}", files)
    }

    proptest! {
        #[test]
        fn keys_agree_exactly_where_compilations_do(one in parts(), other in parts()) {
            let key = |(owner, compiler, arguments, source, files): &Parts| {
                Compilation { owner, compiler, arguments, source, files }.key()
            };
            prop_assert_eq!(one == other, key(&one) == key(&other));
        }

        #[test]
        fn never_more_is_kept_than_there_is_room_for(
            steps in vec((0_u8..8, 0_usize..40, 0_u64..90, any::<bool>()), 0..60),
        ) {
            let mut programs = CompiledPrograms::new(BOUNDS);
            let mut now = Instant::now();
            for (name, bytes, seconds, keep) in steps {
                now += Duration::from_secs(seconds);
                let key = key("a", &name.to_string());
                if keep {
                    programs.keep(key, program(bytes), now);
                } else {
                    programs.find(key, now);
                }
                let held: usize = programs.entries.values().map(|entry| size(&entry.compiled)).sum();
                prop_assert_eq!(programs.bytes, held);
                prop_assert!(held <= BOUNDS.bytes && programs.entries.len() <= BOUNDS.entries);
            }
        }
    }
}
