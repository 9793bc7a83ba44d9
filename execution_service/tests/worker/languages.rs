//! What every language must do, a row for each.

use execution_service::language::{Approach, Language};
use proto::execution_v1::{ExecuteRequest, Status};

use crate::support::{Worker, new_session, run};

/// One language's programs.
struct Row {
    language: &'static str,
    /// Writes what it reads, a line, and then its first argument.
    echo: &'static str,
    /// Ends with the status 3.
    fails: &'static str,
    /// Is no program, and on which line that shows; how the run ends.
    malformed: (&'static str, u32, Status),
}

const ROWS: [Row; Language::ALL.len()] = [
    Row {
        language: "python",
        echo: "import sys\nprint(input())\nprint(sys.argv[1])",
        fails: "raise SystemExit(3)",
        malformed: ("x = 1\nx = = 2\n", 2, Status::Failed),
    },
    Row {
        language: "node",
        echo: "const read = require('fs').readFileSync(0, 'utf8');\n\
               console.log(read.trim());\nconsole.log(process.argv[2]);",
        fails: "process.exit(3)",
        malformed: ("let x = 1;\nx = = 2;\n", 2, Status::Failed),
    },
    Row {
        language: "typescript",
        echo: "import { readFileSync } from 'node:fs';\n\
               const read: string = readFileSync(0, 'utf8');\n\
               console.log(read.trim());\nconsole.log(process.argv[2]!);",
        fails: "enum Status { Bad = 3 }\nprocess.exit(Status.Bad as number)",
        malformed: ("let x: number = 1;\nx = = 2;\n", 2, Status::Failed),
    },
    Row {
        language: "bash",
        echo: "read line; echo \"$line\"; echo \"$1\"",
        fails: "exit 3",
        malformed: ("x=1\nif ; then\n", 2, Status::Failed),
    },
    Row {
        language: "c",
        echo: "#include <stdio.h>\nint main(int n, char **v) { char s[9]; \
               return scanf(\"%8s\", s) != 1 || printf(\"%s\\n%s\\n\", s, v[1]) < 0; }",
        fails: "int main(void) { return 3; }",
        malformed: ("int main(void) {\nreturn = ;\n}\n", 2, Status::CompileFailed),
    },
    Row {
        language: "cpp",
        echo: "#include <iostream>\n#include <string>\nint main(int, char **v) { std::string s; \
               std::getline(std::cin, s); std::cout << s << '\\n' << v[1] << std::endl; }",
        fails: "int main() { return 3; }",
        malformed: ("int main() {\nreturn = ;\n}\n", 2, Status::CompileFailed),
    },
];

#[test]
fn every_language_has_a_row_and_the_other_way_round() {
    let rows = ROWS.map(|row| row.language);
    assert_eq!(rows, Language::ALL.map(Language::name));
}

#[tokio::test]
async fn every_language_reads_writes_and_fails_alike() {
    for Row { language, echo, fails, malformed } in ROWS {
        let Some(worker) = Worker::start(language, &[]).await else {
            continue;
        };
        let caller = worker.caller().await;
        let said = ExecuteRequest {
            stdin: b"in\n".to_vec().into(),
            args: vec![String::from("it's")],
            ..run(language, echo)
        };
        assert_eq!(caller.run(said).await.printed(), "in\nit's\n", "{language}");
        let ran = caller.run(run(language, fails)).await;
        assert_eq!((ran.status(), ran.outcome().exit_code), (Status::Failed, Some(3)), "{ran:?}");
        let (code, line, status) = malformed;
        let ran = caller.run(run(language, code)).await;
        let diagnostic = ran.outcome().diagnostic.clone().unwrap_or_default();
        assert_eq!((ran.status(), diagnostic.line), (status, Some(line)), "{language}: {ran:?}");
        let session = caller.create_session(new_session(language)).await.unwrap();
        assert_eq!(session.contexts[0].language, language);
    }
}

#[tokio::test]
async fn every_example_prints_the_answer_and_every_alias_is_told() {
    for language in Language::ALL {
        let Some(worker) = Worker::start(language.name(), &[]).await else {
            continue;
        };
        let caller = worker.caller().await;
        let capabilities = caller.capabilities().await;
        assert_eq!(capabilities.languages[0].aliases, language.aliases(), "{language}");
        let ran = caller.run(run(language.name(), language.descriptor().example)).await;
        assert_eq!(ran.status(), Status::Succeeded, "{language}: {ran:?}");
        let results = ran.results.iter().flat_map(|result| &result.mime);
        let shown: String = results.map(|data| format!("{data:?}")).collect();
        assert!(format!("{}{shown}", ran.stdout()).contains("42"), "{language}: {ran:?}");
    }
}

#[tokio::test]
async fn flags_are_for_languages_with_a_compiler() {
    for language in Language::ALL {
        let Some(worker) = Worker::start(language.name(), &[]).await else {
            continue;
        };
        let caller = worker.caller().await;
        let told = &caller.capabilities().await.languages[0].compiler_flags;
        let flagged = |flag: &str| ExecuteRequest {
            compiler_flags: vec![String::from(flag)],
            ..run(language.name(), language.descriptor().example)
        };
        let refusal = caller.refused(flagged("--crucible-no-such-flag")).await;
        let text = format!("{refusal:?}");
        match language.approach() {
            Approach::Kernel(_) => {
                assert!(told.is_empty(), "{language}");
                assert!(text.contains("has no compiler to give flags to"), "{text}");
            }
            Approach::Compiled(_) => assert!(text.contains("is not allowed"), "{text}"),
        }
    }
}
