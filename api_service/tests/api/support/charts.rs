//! Results of the fake worker that are charts and tables.

use proto::execution_v1 as wire;

/// A pie, a chart of which nothing is known, and what only says that it is a table.
pub fn results() -> Vec<wire::RichResult> {
    let pie = r#"{"type": "pie", "elements": [{"label": "a", "angle": 90, "radius": 1}]}"#;
    let unknown = r#"{"type": "unknown", "title": null, "elements": []}"#;
    let drawn = [("chart", pie), ("chart", unknown), ("table", "[no table")];
    let result = |(kind, data): (&str, &str)| {
        let kind = format!("application/vnd.crucible.{kind}+json");
        let text = ("text/plain".to_owned(), "<Figure>".to_owned());
        let mime = [text, (kind, data.to_owned())].into();
        wire::RichResult { mime, ..Default::default() }
    };
    drawn.map(result).into()
}
