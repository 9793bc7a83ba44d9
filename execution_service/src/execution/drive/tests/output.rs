//! What is heard of a program: its streams and its results, within bounds.

use super::*;

#[tokio::test]
async fn both_streams_come_whole_and_in_order() {
    let seen = follow(Case::command(), |process| async move {
        for part in ["one ", "two ", "three"] {
            process.print(part);
            process.complain(part.to_uppercase());
            tokio::task::yield_now().await;
        }
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.whole(Stream::Stdout), "one two three");
    assert_eq!(seen.whole(Stream::Stderr), "ONE TWO THREE");
    for totals in [seen.driven.stdout, seen.driven.stderr] {
        assert_eq!(totals, StreamTotals { bytes: 13, truncated: false, stored: None });
    }
}

#[tokio::test]
async fn of_a_stream_that_is_too_long_the_head_comes_and_the_tail_with_its_offset() {
    let limits = Limits { output_bytes: 8, ..LIMITS };
    let seen = follow(Case { limits, ..Case::command() }, |process| async move {
        process.print("abcdefghijklmnopqrstuvwxyz");
        process.complain("short");
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.pieces(Stream::Stdout), [(0, &b"abcdef"[..]), (24, b"yz")]);
    assert_eq!(seen.driven.stdout, StreamTotals { bytes: 26, truncated: true, stored: None });
    assert_eq!(seen.whole(Stream::Stderr), "short");
    assert!(!seen.driven.stderr.truncated);
}

#[tokio::test]
async fn no_more_results_are_shown_than_an_answer_has_room_for() {
    let seen = follow(Case::session(), |mut process| async move {
        for number in 0..MAX_RESULTS + 44 {
            process.show(RUN, &number.to_string()).await;
        }
        process.done(RUN, 0).await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.results().len(), MAX_RESULTS);
    assert_eq!(seen.results().last(), Some(&"255"), "the first ones");
    assert_eq!(seen.driven.results_omitted, 44);
}

#[tokio::test]
async fn a_result_for_which_there_is_no_room_is_left_out_and_a_smaller_one_is_not() {
    let seen = follow(Case::session(), |mut process| async move {
        let large = "x".repeat(MAX_RESULT_BYTES / 5 * 2);
        // The third is read and left out, the fourth is not even read.
        for _ in 0..4 {
            process.show(RUN, &large).await;
        }
        process.show(RUN, "small").await;
        process.done(RUN, 0).await;
        process.hang().await
    })
    .await;
    let lengths: Vec<usize> = seen.results().iter().map(|text| text.len()).collect();
    assert_eq!(lengths, [MAX_RESULT_BYTES / 5 * 2, MAX_RESULT_BYTES / 5 * 2, 5]);
    assert_eq!(seen.driven.results_omitted, 2);
}
