//! The files of a workspace.

use execution_service::sandbox::backend::{Sandbox, SandboxError};
use execution_service::sandbox::files::{
    Condition, FileError, FileKind, FilePath, FileStatus, NewFile, Placing, Versions, Written,
};

use crate::output_of;

fn path(path: &[u8]) -> FilePath {
    FilePath::parse(Vec::from(path)).expect("a path")
}

pub async fn trees_are_listed(sandbox: &dyn Sandbox) {
    let script = "mkdir -p a/b/c; echo 12345 > a/b/file; touch $'a/\\xff\\n'; ln -s /etc/passwd a/out; \
                  mkfifo a/pipe; ln -s .. a/b/c/up; ln -s a to-a; mkdir many; touch many/{1..3000}";
    output_of(sandbox, script).await;
    let tree = sandbox.tree(Some(&path(b"a")), 9, 100).await.expect("a directory");
    let found: Vec<_> = tree
        .entries
        .iter()
        .map(|entry| (entry.path.as_bytes(), entry.status.kind, entry.target.as_deref()))
        .collect();
    let expected = [
        (&b"a/b"[..], FileKind::Directory, None),
        (b"a/b/c", FileKind::Directory, None),
        (b"a/b/c/up", FileKind::Symlink, Some(&b".."[..])),
        (b"a/b/file", FileKind::Regular, None),
        (b"a/out", FileKind::Symlink, Some(b"/etc/passwd")),
        (b"a/pipe", FileKind::Special, None),
        (b"a/\xff\n", FileKind::Regular, None),
    ];
    assert_eq!((found.as_slice(), tree.truncated), (&expected[..], false));
    assert_eq!(tree.entries[3].status.size, 6);

    let top = sandbox.tree(None, 1, 100).await.expect("the workspace");
    assert_eq!((top.entries.len(), top.truncated), (3, false));
    let by_link = sandbox.tree(Some(&path(b"to-a/b/c/up")), 1, 100).await.expect("a/b");
    assert_eq!(by_link.entries.len(), 2);
    let many = sandbox.tree(None, 2, 2000).await.expect("the workspace");
    assert_eq!((many.entries.len(), many.truncated), (2000, true));
    assert_eq!(many.entries.iter().filter(|entry| entry.path.depth() == 1).count(), 3);
    let all = sandbox.tree(Some(&path(b"many")), 1, 5000).await.expect("many");
    assert_eq!((all.entries.len(), all.truncated), (3000, false));

    // Deeper than a path is long, and a directory that nobody may list.
    let script = "mkdir deep; cd deep; for i in {1..40}; do n=$(printf %0200d $i); mkdir $n; cd $n; done; \
                  cd /workspace; mkdir shut; touch shut/in; chmod 0 shut";
    output_of(sandbox, script).await;
    let deep = sandbox.tree(Some(&path(b"deep")), 4096, 1000).await.expect("deep");
    assert!((19..40).contains(&deep.entries.len()) && deep.truncated, "{}", deep.entries.len());
    let shut = sandbox.tree(Some(&path(b"shut")), 1, 10).await;
    assert!(matches!(shut, Err(SandboxError::File { .. })), "{shut:?}");

    let refused = async |name: &[u8]| error(sandbox.tree(Some(&path(name)), 1, 10).await);
    assert_eq!(refused(b"a/b/file").await, FileError::NotADirectory);
    assert_eq!(refused(b"nothing").await, FileError::NotFound);
    assert_eq!(refused(b"a/out").await, FileError::OutOfWorkspace);
}

/// Why something could not be done.
fn error<T>(result: Result<T, SandboxError>) -> FileError {
    match result {
        Ok(_) => panic!("it was done"),
        Err(SandboxError::File(error)) => error,
        Err(other) => panic!("{other}"),
    }
}

const PLAIN: NewFile = NewFile { parents: true, append: false, mode: None, modified: None };
const OVER: Placing = Placing { overwrite: true, parents: true };
const BESIDE: Placing = Placing { overwrite: false, parents: true };

async fn write(
    sandbox: &dyn Sandbox,
    name: &[u8],
    new: NewFile,
    condition: &Condition,
    content: &[u8],
) -> Result<Written, SandboxError> {
    let mut writer = sandbox.create(&path(name), new).await?;
    for piece in content.chunks(100_000) {
        writer.write(piece).await?;
    }
    writer.commit(condition).await
}

async fn put(sandbox: &dyn Sandbox, name: &[u8], content: &[u8]) -> Result<Written, SandboxError> {
    write(sandbox, name, PLAIN, &Condition::default(), content).await
}

async fn part(
    sandbox: &dyn Sandbox,
    name: &[u8],
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, SandboxError> {
    let mut reader = sandbox.open(&path(name)).await?;
    reader.begin(offset, length).await?;
    let mut content = Vec::new();
    while let Some(piece) = reader.next().await? {
        content.extend(piece);
    }
    Ok(content)
}

async fn get(sandbox: &dyn Sandbox, name: &[u8]) -> Result<Vec<u8>, SandboxError> {
    let size = sandbox.status(&path(name)).await?.size;
    part(sandbox, name, 0, size).await
}

pub async fn contents_come_and_go_whole(sandbox: &dyn Sandbox) {
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).take(5_000_000).collect();
    let first = put(sandbox, b"a/new/\xff\n.bin", &content).await.expect("room");
    assert!(first.created && first.status.size == 5_000_000 && first.status.mode == 0o644);
    assert!(get(sandbox, b"a/new/\xff\n.bin").await.expect("a file") == content);
    let middle = part(sandbox, b"a/new/\xff\n.bin", 1_000_001, 300_000).await.expect("a file");
    assert!(middle == content[1_000_001..1_300_001]);
    let empty = put(sandbox, b"empty", b"").await.expect("room");
    assert_eq!((empty.status.size, get(sandbox, b"empty").await.expect("a file")), (0, Vec::new()));

    // The mode is kept, nothing else has to do with what was there.
    output_of(sandbox, "printf old > script; chmod 750 script; ln -s script by-link").await;
    let before = sandbox.status(&path(b"by-link")).await.expect("by a link");
    let next = put(sandbox, b"script", b"new").await.expect("room");
    assert_eq!((next.created, next.status.mode), (false, 0o750));
    assert_ne!(before.version(), next.status.version());
    assert_eq!(get(sandbox, b"by-link").await.expect("by a link"), b"new");
    assert!(!put(sandbox, b"by-link", b"itself").await.expect("room").created);
    assert_eq!(
        output_of(sandbox, "cat script by-link; test -L by-link || echo ' no link'").await,
        "newitself no link\n"
    );

    // Conditions are looked at when it takes its name.
    let version = |status: FileStatus| Versions::These(status.version().into_iter().collect());
    let is = |status| Condition { is: Some(version(status)), is_not: None };
    let absent = Condition { is: None, is_not: Some(Versions::Any) };
    let mut writer = sandbox.create(&path(b"script"), PLAIN).await.expect("begun");
    assert_eq!(writer.replaces(), Some(next.status));
    writer.write(b"mine").await.expect("room");
    output_of(sandbox, "printf theirs > script").await;
    assert_eq!(error(writer.commit(&is(next.status)).await), FileError::Changed);
    assert_eq!(get(sandbox, b"script").await.expect("a file"), b"theirs");
    let refused = write(sandbox, b"script", PLAIN, &absent, b"x").await;
    assert_eq!(error(refused), FileError::Changed);
    write(sandbox, b"another", PLAIN, &absent, b"x").await.expect("it was free");
    let now = sandbox.status(&path(b"script")).await.expect("a file");
    write(sandbox, b"script", PLAIN, &is(now), b"x").await.expect("the same");

    // Behind what is there, and into what is not.
    let behind = NewFile { append: true, ..PLAIN };
    for expected in ["one", "oneone"] {
        write(sandbox, b"log", behind, &Condition::default(), b"one").await.expect("room");
        assert_eq!(get(sandbox, b"log").await.expect("a file"), expected.as_bytes());
    }
    let more = write(sandbox, b"log", behind, &Condition::default(), &content[..1_000_000]).await;
    assert_eq!(more.expect("room").status.size, 1_000_006);
    let stale = write(sandbox, b"log", behind, &is(now), b"x").await;
    assert_eq!(error(stale), FileError::Changed);
}

pub async fn what_is_half_written_is_nowhere(sandbox: &dyn Sandbox) {
    let listing = "ls -A | wc -l; df --output=used -B1 . | tail -n 1";
    let before = output_of(sandbox, listing).await;
    let mut writers = Vec::new();
    for _ in 0..4 {
        let mut writer = sandbox.create(&path(b"half"), PLAIN).await.expect("begun");
        writer.write(&[1; 1_000_000]).await.expect("room");
        writers.push(writer);
    }
    assert!(output_of(sandbox, listing).await.starts_with("0\n"), "nothing is to be seen");
    assert_eq!(error(sandbox.status(&path(b"half")).await), FileError::NotFound);
    drop(writers);
    // They go when init sees that nobody sends any more.
    while output_of(sandbox, listing).await != before {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // And so do those that nobody reads.
    put(sandbox, b"file", &[7; 2_000_000]).await.expect("room");
    for _ in 0..100 {
        let mut reader = sandbox.open(&path(b"file")).await.expect("a file");
        reader.begin(0, 2_000_000).await.expect("begun");
        assert!(reader.next().await.expect("a piece").is_some());
    }

    // No more than the workspace has: it is said, and nothing is left.
    let before = output_of(sandbox, listing).await;
    assert_eq!(error(put(sandbox, b"large", &vec![1; 20_000_000]).await), FileError::Full);
    let six = vec![1; 6_000_000];
    let mut kept = 0;
    let full = loop {
        match put(sandbox, format!("part{kept}").as_bytes(), &six).await {
            Ok(_) => kept += 1,
            full => break error(full),
        }
    };
    assert_eq!((kept, full), (2, FileError::Full));
    let behind = NewFile { append: true, ..PLAIN };
    let append = write(sandbox, b"part0", behind, &Condition::default(), &six).await;
    assert_eq!(error(append), FileError::Full);
    assert_eq!(sandbox.status(&path(b"part0")).await.expect("a file").size, 6_000_000);
    for part in ["part0", "part1"] {
        let any = Condition::default();
        sandbox.remove(&path(part.as_bytes()), false, &any).await.expect("a file");
    }
    while output_of(sandbox, listing).await != before {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

pub async fn nothing_hostile_is_read_or_holds_anybody_up(sandbox: &dyn Sandbox) {
    let script = "mkfifo pipe; mkdir -p dir/in; ln -s /etc/passwd out; ln -s ../../etc/passwd up; ln -s pipe to-pipe; \
        ln -s loop loop; ln -s /workspace/file absolute; printf hidden > file; \
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'; \
        truncate -s 15M sparse; ln -s dir to-dir; ln -s nowhere dangling; mknod null c 1 3 2>/dev/null; \
        printf closed > closed; chmod 0 closed";
    output_of(sandbox, script).await;
    for (name, expected) in [
        (&b"pipe"[..], FileError::Special),
        (b"to-pipe", FileError::Special),
        (b"socket", FileError::Special),
        (b"dir", FileError::Directory),
        (b"to-dir", FileError::Directory),
        (b"out", FileError::OutOfWorkspace),
        (b"up", FileError::OutOfWorkspace),
        (b"loop", FileError::OutOfWorkspace),
        (b"absolute", FileError::OutOfWorkspace),
        (b"dangling", FileError::NotFound),
        (b"file/below", FileError::NotADirectory),
        (b"closed", FileError::Refused),
    ] {
        let found = error(sandbox.open(&path(name)).await);
        assert_eq!(found, expected, "{}", name.escape_ascii());
    }
    assert_eq!(get(sandbox, b"sparse").await.expect("zeros").len(), 15 << 20);
    for (name, expected) in [
        (&b"pipe"[..], FileError::Special),
        (b"socket", FileError::Special),
        (b"dir", FileError::Directory),
        (b"out/x", FileError::NotADirectory),
        (b"file/x", FileError::NotADirectory),
        (b"loop/x", FileError::OutOfWorkspace),
    ] {
        let found = error(put(sandbox, name, b"x").await);
        let escaped = name.escape_ascii();
        let out = expected == FileError::NotADirectory && found == FileError::OutOfWorkspace;
        assert!(found == expected || out, "{escaped}: {found}");
    }
    // Links are replaced and never written through, but a directory may be reached by one.
    put(sandbox, b"out", b"mine").await.expect("a link is replaced");
    put(sandbox, b"to-dir/deep/er", b"in dir").await.expect("a directory by a link");
    assert_eq!(
        output_of(sandbox, "cat dir/deep/er; test -L to-dir && echo ' link'").await,
        "in dir link\n"
    );

    // A file that is cut off while it is read ends early, and is said to.
    let mut reader = sandbox.open(&path(b"sparse")).await.expect("a file");
    reader.begin(0, 15 << 20).await.expect("begun");
    output_of(sandbox, "truncate -s 0 sparse").await;
    let cut = loop {
        match reader.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("all of it is there"),
            Err(error) => break error,
        }
    };
    assert!(matches!(cut, SandboxError::File(FileError::Changed)), "{cut}");
    // What is outside may be asked for as often as one likes, and everything else goes on.
    assert_eq!(output_of(sandbox, "echo alive").await, "alive\n");
}

pub async fn names_are_given_and_taken(sandbox: &dyn Sandbox) {
    let (any, absent) = (Condition::default(), Condition { is: Some(Versions::Any), is_not: None });
    put(sandbox, b"a/file", b"content").await.expect("room");
    output_of(sandbox, "mkfifo pipe; mkdir full; touch full/x; ln -s a/file link").await;
    assert!(sandbox.make_directory(&path(b"b/c/d"), true, None).await.expect("made"));
    assert!(!sandbox.make_directory(&path(b"b/c"), true, None).await.expect("there"));
    let one = error(sandbox.make_directory(&path(b"b/c"), false, None).await);
    assert_eq!(one, FileError::Exists);
    let missing = error(sandbox.make_directory(&path(b"x/y"), false, None).await);
    assert_eq!(missing, FileError::NotFound);

    sandbox.rename(&path(b"a/file"), &path(b"b/moved"), BESIDE).await.expect("free");
    sandbox.copy(&path(b"b/moved"), &path(b"new/copy"), BESIDE).await.expect("free");
    for placed in [
        sandbox.rename(&path(b"b/moved"), &path(b"new/copy"), BESIDE).await,
        sandbox.copy(&path(b"b/moved"), &path(b"new/copy"), BESIDE).await.map(drop),
    ] {
        assert_eq!(error(placed), FileError::Exists);
    }
    sandbox.copy(&path(b"b/moved"), &path(b"new/copy"), OVER).await.expect("a file");
    sandbox.rename(&path(b"b"), &path(b"elsewhere"), BESIDE).await.expect("a directory");
    let into_itself = sandbox.rename(&path(b"elsewhere"), &path(b"elsewhere/c/in"), BESIDE).await;
    assert_eq!(error(into_itself), FileError::Refused);
    assert_eq!(
        error(sandbox.rename(&path(b"new/copy"), &path(b"full"), OVER).await),
        FileError::Directory
    );
    assert_eq!(
        error(sandbox.rename(&path(b"new/copy"), &path(b"pipe"), OVER).await),
        FileError::Special
    );
    assert_eq!(error(sandbox.copy(&path(b"pipe"), &path(b"x"), OVER).await), FileError::Special);
    assert_eq!(get(sandbox, b"elsewhere/moved").await.expect("moved"), b"content");
    sandbox.link(&path(b"made"), b"new/copy").await.expect("a link");
    assert_eq!(get(sandbox, b"made").await.expect("by a link"), b"content");

    assert_eq!(error(sandbox.remove(&path(b"full"), false, &any).await), FileError::NotEmpty);
    assert_eq!(error(sandbox.remove(&path(b"nothing"), true, &any).await), FileError::NotFound);
    sandbox.remove(&path(b"made"), false, &absent).await.expect("the link");
    sandbox.remove(&path(b"pipe"), false, &any).await.expect("a FIFO");
    assert_eq!(get(sandbox, b"new/copy").await.expect("not the link's"), b"content");

    // A tree as nobody would make it: deep, wide, closed, with links out of it.
    let script = "mkdir tree keep; touch keep/me; cd tree; ln -s ../keep out; touch $'\\xff\\n' f{1..1500}; \
        mkdir shut; touch shut/in; mkdir shut/below; touch shut/below/x; chmod 0 shut/below shut; \
        for i in {1..300}; do mkdir deep$i; touch deep$i/file; cd deep$i; done";
    output_of(sandbox, script).await;
    sandbox.remove(&path(b"tree"), true, &any).await.expect("all of it");
    assert_eq!(
        output_of(sandbox, "ls -A | tr '\\n' ' '; ls keep").await,
        "a elsewhere full keep link new me\n"
    );
}

/// Names are made and taken away while we write, list and remove: nobody hangs, and no file is ever half.
pub async fn it_goes_on_beside_a_program_that_changes_everything(sandbox: &dyn Sandbox) {
    let script = "while :; do mkdir -p d/e; touch d/e/f; ln -sfn /etc d/l; mv d x; rm -rf x; \
                  ln -s . d 2>/dev/null; rm -f d; done";
    let process = sandbox.start(crate::quiet(script)).await.expect("a process");
    let (one, other) = (vec![b'1'; 700_000], vec![b'2'; 300_000]);
    let any = Condition::default();
    for round in 0..60 {
        let content = if round % 2 == 0 { &one } else { &other };
        for (name, must) in [(&b"d/e/mine"[..], false), (b"mine", true)] {
            match put(sandbox, name, content).await {
                Ok(written) => assert_eq!(written.status.size, content.len() as u64),
                Err(SandboxError::File(error)) => assert!(!must, "{error}"),
                Err(error) => panic!("{error}"),
            }
        }
        let found = get(sandbox, b"mine").await.expect("it is always there");
        assert!(found == one || found == other, "half of it");
        for done in [
            sandbox.tree(None, 5, 1000).await.map(drop),
            sandbox.remove(&path(b"d"), true, &any).await,
            sandbox.status(&path(b"d/l/passwd")).await.map(drop),
        ] {
            assert!(matches!(done, Ok(()) | Err(SandboxError::File(_))), "{done:?}");
        }
    }
    sandbox
        .signal(process.id, execution_service::sandbox::backend::Signal::Kill)
        .await
        .expect("it runs");
}
