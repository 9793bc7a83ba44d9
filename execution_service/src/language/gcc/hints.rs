//! What to do about an error of gcc or its linker, where its class is clear.

use super::Dialect;
use crate::language::diagnostic::Diagnostic;

/// How names of libraries that people use begin, and the flag that links each.
const LIBRARIES: &[(&str, &str)] = &[
    ("sqlite3_", "-lsqlite3"),
    ("curl_", "-lcurl"),
    ("SSL_", "-lssl\", \"-lcrypto"),
    ("TLS_", "-lssl\", \"-lcrypto"),
    ("EVP_", "-lcrypto"),
    ("SHA", "-lcrypto"),
    ("MD5", "-lcrypto"),
    ("RAND_", "-lcrypto"),
    ("crypt", "-lcrypt"),
    ("deflate", "-lz"),
    ("inflate", "-lz"),
    ("compress", "-lz"),
    ("uncompress", "-lz"),
    ("crc32", "-lz"),
    ("adler32", "-lz"),
    ("gz", "-lz"),
    ("zlib", "-lz"),
    ("BZ2_", "-lbz2"),
    ("lzma_", "-llzma"),
    ("__gmp", "-lgmp"),
    ("mpfr_", "-lmpfr\", \"-lgmp"),
    ("omp_", "-fopenmp"),
    ("GOMP_", "-fopenmp"),
    ("initscr", "-lncurses"),
    ("stdscr", "-lncurses"),
    ("wgetch", "-lncurses"),
    ("wrefresh", "-lncurses"),
    ("endwin", "-lncurses"),
    ("readline", "-lreadline"),
    ("png_", "-lpng"),
    ("__atomic_", "-latomic"),
    ("pthread_", "-lpthread"),
    ("dlopen", "-ldl"),
    ("dlsym", "-ldl"),
    ("shm_", "-lrt"),
    ("mq_", "-lrt"),
    ("timer_", "-lrt"),
    ("__asan_", "-fsanitize=address"),
    ("__ubsan_", "-fsanitize=undefined"),
];

/// Headers that a C++ program has and a C program does not.
const CPP_HEADERS: &[&str] = &[
    "iostream",
    "vector",
    "string",
    "map",
    "algorithm",
    "memory",
    "fstream",
    "sstream",
    "set",
    "unordered_map",
    "bits/stdc++.h",
    "functional",
    "thread",
    "utility",
    "array",
    "deque",
    "queue",
    "stack",
    "list",
    "iomanip",
    "cstdio",
    "cstdlib",
    "cstring",
    "cmath",
    "cstdint",
    "cassert",
];

/// Headers of the standard that came with g++ 12 and later.
const NEWER_HEADERS: &[&str] = &[
    "expected",
    "format",
    "stdfloat",
    "generator",
    "print",
    "text_encoding",
    "mdspan",
    "flat_map",
    "flat_set",
];

/// Words that begin a declaration in C++ and are nothing in C.
const CPP_WORDS: &[&str] = &["class", "template", "using", "namespace", "constexpr"];

/// The advice for `found`, the error that was taken from all that was `said`.
pub fn hint(dialect: &Dialect, found: &Diagnostic, said: &str) -> Option<String> {
    let message = &*found.message;
    if let Some(header) = &found.missing_module {
        return Some(of_a_header(dialect, header));
    }
    if let Some(name) = quoted_after(message, "undefined reference to `") {
        return Some(of_an_undefined(dialect, name));
    }
    if let Some(name) = quoted_after(message, "multiple definition of `") {
        let endings = endings(dialect);
        return Some(format!(
            "`{name}` is defined in more than one source; files of the request that end in {endings} are \
             compiled along, unless another text includes them"
        ));
    }
    if let Some((_, rest)) = message.split_once("cannot find -l") {
        let name = rest.split([':', ' ']).next().unwrap_or(rest);
        return Some(format!(
            "there is no library {name} on this machine (lib{name}.so or lib{name}.a, as its development \
             package has it); whoever runs the service can install it"
        ));
    }
    if !dialect.is_cpp
        && CPP_WORDS.iter().any(|word| message == format!("unknown type name ‘{word}’"))
    {
        return Some(String::from("this is C++: send the program as language \"cpp\""));
    }
    said.lines().find_map(of_a_note)
}

fn of_a_header(dialect: &Dialect, header: &str) -> String {
    if !dialect.is_cpp && CPP_HEADERS.contains(&header) {
        return format!("{header} is a header of C++: send the program as language \"cpp\"");
    }
    if dialect.is_cpp && NEWER_HEADERS.contains(&header) {
        return format!("<{header}> is newer than the g++ of this machine: do without it");
    }
    let library = if dialect.is_cpp { "the C++ library" } else { "the C library" };
    format!(
        "there are {library} and what the machine has in /usr/include; a header of your own belongs in \
         `files`, and its folder into compiler_flags (\"-Ifolder\")"
    )
}

fn of_an_undefined(dialect: &Dialect, name: &str) -> String {
    if name == "main" {
        let main = if dialect.is_cpp { "int main()" } else { "int main(void)" };
        return format!("a program needs `{main}`");
    }
    if let Some(class) = name.strip_prefix("vtable for ") {
        return format!("define every virtual function of {class} that is not `= 0`");
    }
    let endings = endings(dialect);
    let define = format!(
        "define `{name}`: in the code, or in one of `files` that ends in {endings} (those are compiled \
         along; a file that is in the session already can be named in compiler_flags)"
    );
    // A name with its parameters is one of C++, as those of these libraries are not.
    let library = LIBRARIES.iter().find(|(beginning, _)| name.starts_with(beginning));
    match library.filter(|_| !name.contains('(')) {
        Some((_, flag)) => {
            format!("if it is the library's, add compiler_flags [\"{flag}\"]; else {define}")
        }
        None => format!("{define}; a library is linked by \"-lname\""),
    }
}

/// gcc's own advice, which it gives beside the error.
fn of_a_note(line: &str) -> Option<String> {
    let (_, note) = line.split_once(": note: ")?;
    if let Some(header) = between(note, "did you forget to ‘#include ", "’") {
        return Some(format!("add #include {header}"));
    }
    let since = between(note, "only available from C++", " ")
        .or_else(|| between(note, "only available with ‘-std=c++", "’"));
    since.map(|year| format!("add compiler_flags [\"-std=c++{year}\"]"))
}

fn endings(dialect: &Dialect) -> String {
    let endings: Vec<String> = dialect.endings.iter().map(|ending| format!(".{ending}")).collect();
    endings.join(", ")
}

fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    between(text, before, "'")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(after).next().filter(|found| !found.is_empty())
}
