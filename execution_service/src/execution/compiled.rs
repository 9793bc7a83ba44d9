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
mod tests;
