//! Charts and tables as data, of real libraries in a real sandbox.

use serde_json::{Value, json};

use crate::case::run;
use crate::crucible::Crucible;

const CHART: &str = "application/vnd.crucible.chart+json";
const TABLE: &str = "application/vnd.crucible.table+json";

const PROGRAM: &str = r#"
import matplotlib.pyplot as plt, pandas as pd
fig, (left, right) = plt.subplots(1, 2)
left.plot([1, 2, 3], [1.5, float('nan'), 4], label='height'); left.set_xlabel('time (s)')
right.pie([1, 3], labels=['a', 'b'])
fig.suptitle('Two')
plt.show()
plt.figure()  # empty: no result
pd.DataFrame({'n': range(5000), 'x': [float('nan'), 1.5] * 2500})
"#;

/// With the libraries that `CRUCIBLE_TEST_PYTHON` has.
#[tokio::test]
async fn a_figure_and_a_table_are_data_beside_what_they_were() {
    let Ok(environment) = std::env::var("CRUCIBLE_TEST_PYTHON") else {
        eprintln!(
            "skipped: a_figure_and_a_table_are_data_beside_what_they_were (CRUCIBLE_TEST_PYTHON is not set)"
        );
        return;
    };
    let data = tempfile::tempdir().expect("a temporary directory");
    let crucible = Crucible::start_in(data.path(), &[("PYTHON_ENVIRONMENT", &environment)]);
    let answer = crucible.run(run("python", PROGRAM).with("for_model", json!(4000)).request).await;
    assert_eq!(answer["status"], "succeeded", "{answer}");
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(2), "{answer}");
    let data = |number: usize, kind: &str| -> Value {
        let text = answer["results"][number]["mime"][kind].as_str().expect("a form of that kind");
        serde_json::from_str(text).expect("JSON")
    };
    assert!(answer["results"][0]["mime"]["image/png"].is_string(), "{answer}");
    let chart = data(0, CHART);
    assert_eq!((&chart["type"], &chart["title"]), (&json!("superchart"), &json!("Two")));
    let [line, pie] = [&chart["elements"][0], &chart["elements"][1]];
    assert_eq!(line["elements"][0]["points"], json!([[1.0, 1.5], [2.0, null], [3.0, 4.0]]));
    assert_eq!((&line["x_label"], &line["x_unit"]), (&json!("time (s)"), &json!("s")));
    assert_eq!(pie["elements"][1]["angle"], 270.0);
    assert!(answer["results"][1]["mime"]["text/html"].is_string(), "{answer}");
    let table = data(1, TABLE);
    assert_eq!((&table["shape"], &table["truncated"]), (&json!([5000, 2]), &json!(true)));
    assert_eq!(table["columns"][1]["dtype"], "float64");
    assert_eq!(table["columns"][1]["values"][0], Value::Null);
    let text = answer["text"].as_str().expect("text");
    for told in [
        "[chart: superchart \"Two\": line, pie; see results of /v1/",
        "[table: 5000 rows (1000 given), 2 columns: n int64, x float64; see results of /v1/",
    ] {
        assert!(text.contains(told), "{text}");
    }
    let wish = run("python", PROGRAM).with("answer", json!("compact"));
    let compact = crucible.run(wish.with("large_results", json!("url")).request).await;
    let compact = compact["text"].as_str().expect("text");
    assert!(compact.contains("[chart: superchart \"Two\": line, pie; "), "{compact}");
}
