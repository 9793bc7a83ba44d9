use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CHART, TABLE, in_words};

fn chart(chart: &Value) -> Option<String> {
    in_words(CHART, &chart.to_string())
}

#[test]
fn each_type_of_chart_has_its_words() {
    for (said, words) in [
        (
            json!({"type": "line", "title": "sine", "x_label": "t (s)", "y_label": null, "elements": [
                {"label": "sin", "points": [[0, -1.0], [1, null], ["2024-01-01", 0.25]]},
                {"label": "Line 1", "points": []},
            ]}),
            "chart: line \"sine\", x \"t (s)\": sin (3 points, y -1 to 0.25), Line 1 (0 points)",
        ),
        (
            json!({"type": "bar", "title": null, "elements": [
                {"label": "a", "group": "A", "value": 1234.5}, {"label": "b", "group": "A", "value": null},
            ]}),
            "chart: bar: a 1234.5, b",
        ),
        (
            json!({"type": "bar", "title": null, "elements": [
                {"label": "a", "group": "A", "value": 0}, {"label": "a", "group": "B", "value": -2e20},
            ]}),
            "chart: bar: a of A 0, a of B -2.000e20",
        ),
        (
            json!({"type": "pie", "elements": [{"label": "a", "angle": 90.0, "radius": 1}]}),
            "chart: pie: a 25 %",
        ),
        (
            json!({"type": "box_and_whisker", "elements": [{
                "label": "a", "min": 1, "first_quartile": 2, "median": 3.5, "third_quartile": 4,
                "max": 5, "outliers": [],
            }]}),
            "chart: box_and_whisker: a (median 3.5, 1 to 5)",
        ),
        (
            json!({"type": "superchart", "title": "S", "elements": [
                {"type": "line", "title": "left", "elements": []}, {"type": "bar", "elements": []},
            ]}),
            "chart: superchart \"S\": line \"left\", bar",
        ),
        (json!({"type": "unknown", "title": "T", "elements": []}), "chart: unknown \"T\""),
        (json!({"type": "unknown", "title": null, "elements": []}), ""),
    ] {
        assert_eq!(chart(&said).as_deref(), Some(words));
    }
}

#[test]
fn a_table_has_its_columns() {
    let mut table = json!({"shape": [2, 2], "index": [], "truncated": false, "columns": [
        {"name": "a", "dtype": "int64", "values": [1, 2]}, {"name": null, "dtype": "object", "values": ["x", null]},
    ]});
    let words = |table: &Value| in_words(TABLE, &table.to_string());
    let expected = "table: 2 rows, 2 columns: a int64, unnamed object";
    assert_eq!(words(&table).as_deref(), Some(expected));
    table["shape"] = json!([5000, 15]);
    table["truncated"] = json!(true);
    let column = table["columns"][0].clone();
    table["columns"] = json!(vec![column; 15]);
    let words = words(&table).expect("a table");
    assert!(words.starts_with("table: 5000 rows (2 given), 15 columns: a int64, "), "{words}");
    assert!(words.ends_with(", a int64, and 3 more"), "{words}");
}

#[test]
fn what_is_neither_has_none() {
    for said in ["", "{}", "[]", "null", "{\"type\": 1, \"elements\": []}"] {
        assert_eq!(in_words(CHART, said), None, "{said}");
        assert_eq!(in_words(TABLE, said), None, "{said}");
    }
    assert_eq!(in_words("application/json", "{\"type\": \"line\", \"elements\": []}"), None);
    let long = format!("{{\"type\": \"line\", \"elements\": []}}{}", " ".repeat(super::LONGEST));
    assert_eq!(in_words(CHART, &long), None);
    let deep = format!("{{\"type\": \"line\", \"elements\": {}", "[".repeat(100_000));
    assert_eq!(in_words(CHART, &deep), None);
}

proptest! {
    /// Whatever is called a chart: its words are few.
    #[test]
    fn words_are_few(
        kind in ".{0,200}",
        title in proptest::option::of(".{0,200}"),
        labels in proptest::collection::vec(".{0,200}", 0..40),
        value: f64,
    ) {
        let elements: Vec<Value> = labels.iter().map(|label| json!({"label": label, "value": value})).collect();
        let words = chart(&json!({"type": kind, "title": title, "elements": elements})).expect("words");
        prop_assert!(words.chars().count() < 200 + 14 * 100, "{words}");
    }
}
