//! What user code can do to the channel, and what it cannot.

use proptest::prelude::*;

use super::*;

fn frames(text: &str) -> Frames {
    Frames::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())))
}

#[tokio::test]
async fn junk_between_frames_is_skipped() {
    let mut frames = frames(
        "{\"event\":\"ready\"}\nhello\n\n{\"event\":\"x\"}\n\
        {\"event\":\"done\",\"id\":3,\"exit_code\":1,\"diagnostic\":null,\"x\":[1,{}]}\n",
    );
    assert!(matches!(frames.next().await, Ok(Some(Frame::Ready))));
    let done = frames.next().await;
    assert!(matches!(done, Ok(Some(Frame::Done { id: Some(3), exit_code: 1, .. }))));
    assert!(matches!(frames.next().await, Ok(None)));
}

#[tokio::test]
async fn a_flood_of_junk_closes_the_channel() {
    let mut frames = frames(&"\n".repeat(400_000));
    assert!(frames.next().await.is_err());
}

#[tokio::test]
async fn an_endless_line_closes_the_channel() {
    let mut frames = frames(&"x".repeat(MAX_LINE + 2));
    assert!(frames.next().await.is_err());
}

#[tokio::test]
async fn a_line_that_is_no_text_is_junk_like_any_other() {
    let said = b"\xff\xfe\n{\"event\":\"ready\"}\n".to_vec();
    let mut frames = Frames::new(Box::new(io::Cursor::new(said)));
    assert!(matches!(frames.next().await, Ok(Some(Frame::Ready))));
}

#[tokio::test]
async fn a_million_representations_are_as_many_as_there_can_be() {
    let mime: Vec<String> = (0..100_000).map(|number| format!("\"{number}\":\"\"")).collect();
    let line = format!("{{\"event\":\"result\",\"id\":1,\"mime\":{{{}}}}}\n", mime.join(","));
    let Ok(Some(Frame::Result { mime, .. })) = frames(&line).next().await else {
        panic!("a result");
    };
    assert_eq!(mime.len(), MAX_REPRESENTATIONS);
}

#[tokio::test]
async fn who_says_too_much_is_still_heard_at_the_end() {
    let long = format!("{{\"event\":\"result\",\"mime\":{{\"a\":\"{}\"}}}}\n", "x".repeat(3 << 20));
    let said = format!("{}{{\"event\":\"done\",\"id\":2}}\n", long.repeat(20));
    let mut frames = frames(&said);
    let mut results = 0;
    while let Ok(Some(Frame::Result { .. })) = frames.next().await {
        results += 1;
    }
    assert_eq!(results, MAX_HEARD / long.len());
}

#[tokio::test]
async fn results_without_room_are_refused_until_the_next_run() {
    let long = format!(
        "{{\"event\":\"result\",\"id\":1,\"mime\":{{\"a\":\"{}\"}}}}\n",
        "x".repeat(100_000)
    );
    let short = "{\"event\":\"result\",\"id\":1,\"mime\":{\"a\":\"42\"}}\n";
    let done = "{\"event\":\"done\",\"id\":1,\"exit_code\":0}\n";
    let mut frames = frames(&format!("{long}{long}{short}{done}{long}"));
    assert!(matches!(frames.next().await, Ok(Some(Frame::Result { .. }))));
    frames.refuse_results_beyond(0);
    let Ok(Some(Frame::Result { mime, .. })) = frames.next().await else { panic!("the short one") };
    assert_eq!(mime["a"], "42");
    assert!(matches!(frames.next().await, Ok(Some(Frame::Done { .. }))));
    frames.discard().await;
    assert_eq!(frames.longest_result, MAX_LINE, "the next run has all the room again");
}

fn read_all(said: Vec<u8>) -> (Vec<Frame>, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut frames = Frames::new(Box::new(io::Cursor::new(said)));
        let mut heard = Vec::new();
        loop {
            match frames.next().await {
                Ok(Some(frame)) => heard.push(frame),
                Ok(None) => return (heard, true),
                Err(_) => return (heard, false),
            }
        }
    })
}

/// What looks like a frame more often than bytes do.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(","),
        Just("\n"),
        Just("null"),
        Just("\"event\""),
        Just("\"ready\""),
        Just("\"done\""),
        Just("\"result\""),
        Just("\"exit\""),
        Just("\"id\""),
        Just("\"exit_code\""),
        Just("\"mime\""),
        Just("\"diagnostic\""),
        Just("\"kind\""),
        Just("\"syntax\""),
        Just("1e999"),
        Just("-1"),
        Just("99999999999999999999"),
        Just("\"\\ud800\""),
        Just("true"),
        Just("\0"),
    ];
    proptest::collection::vec(words, 0..60).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn nothing_that_is_said_is_too_much(
        said in prop_oneof![proptest::collection::vec(any::<u8>(), 0..2000), nearly_json()],
    ) {
        for frame in read_all(said).0 {
            match frame {
                Frame::Result { mime, .. } => {
                    prop_assert!(mime.len() <= MAX_REPRESENTATIONS);
                    prop_assert!(mime.keys().all(|kind| kind.len() <= MAX_MIME_TYPE));
                }
                Frame::Done { diagnostic: Some(said), .. } => {
                    prop_assert_eq!(said.clone().bounded(), said);
                }
                Frame::Done { diagnostic: None, .. } | Frame::Ready | Frame::Exit { .. } => {}
            }
        }
    }

    #[test]
    fn frames_are_found_among_junk(
        junk in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..30),
        id in any::<u64>(),
    ) {
        let mut said = Vec::new();
        for line in &junk {
            said.extend(line.iter().filter(|byte| **byte != b'\n' && **byte != b'{'));
            said.extend(format!("\n{{\"event\":\"exit\",\"id\":{id},\"exit_code\":3}}\n").bytes());
        }
        let (frames, to_the_end) = read_all(said);
        prop_assert!(to_the_end);
        prop_assert_eq!(frames.len(), junk.len());
        for frame in frames {
            let as_sent = matches!(frame, Frame::Exit { id: Some(seen), exit_code: 3 } if seen == id);
            prop_assert!(as_sent, "{:?}", frame);
        }
    }
}
