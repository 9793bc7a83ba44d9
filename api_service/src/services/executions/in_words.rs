//! Charts and tables of results, in words. What they are is the kernel's to say
//! (`docs/answers.md`, "Charts and tables"); what is sent under their names may be anything.

use serde::Deserialize;
use serde::de::IgnoredAny;

const CHART: &str = "application/vnd.crucible.chart+json";
const TABLE: &str = "application/vnd.crucible.table+json";
/// Longer ones, in bytes, are not of our kernels.
const LONGEST: usize = 1 << 20;
/// Most series, bars, columns … that are named.
const NAMED: usize = 12;
/// Most characters of a name.
const NAME: usize = 60;

/// What `data` of the MIME type `kind` shows, for a model to read; None for what is no chart or table. Of a chart of
/// which nothing is known but that it is one there are no words.
pub(super) fn in_words(kind: &str, data: &str) -> Option<String> {
    match kind {
        _ if data.len() > LONGEST => None,
        CHART => serde_json::from_str(data).ok().map(|chart: Chart| chart.in_words()),
        TABLE => serde_json::from_str(data).ok().map(|table: Table| table.in_words()),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Chart {
    #[serde(rename = "type")]
    kind: String,
    title: Option<String>,
    x_label: Option<String>,
    y_label: Option<String>,
    elements: Vec<Element>,
}

/// Of a chart of any type: a series, a bar, a slice, a box, another chart.
#[derive(Deserialize)]
struct Element {
    label: Option<String>,
    points: Option<Vec<(IgnoredAny, Coordinate)>>,
    group: Option<String>,
    value: Option<f64>,
    angle: Option<f64>,
    min: Option<f64>,
    median: Option<f64>,
    max: Option<f64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Coordinate {
    Number(f64),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Table {
    shape: (u64, u64),
    columns: Vec<Column>,
    truncated: bool,
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
    dtype: String,
    values: Vec<IgnoredAny>,
}

impl Chart {
    fn in_words(&self) -> String {
        if self.kind == "unknown" && self.title.is_none() {
            return String::new();
        }
        let title = self.title.as_deref().map(|title| format!(" \"{}\"", name(title)));
        let axis = |axis, label: Option<&str>| {
            label.map_or_else(String::new, |label| format!(", {axis} \"{}\"", name(label)))
        };
        let head = format!(
            "chart: {}{}{}{}",
            name(&self.kind),
            title.unwrap_or_default(),
            axis("x", self.x_label.as_deref()),
            axis("y", self.y_label.as_deref()),
        );
        let first = self.elements.first().and_then(|one| one.group.as_deref());
        let grouped = self.elements.iter().any(|one| one.group.as_deref() != first);
        with_list(head, self.elements.iter().map(|one| one.in_words(grouped)))
    }
}

impl Element {
    fn in_words(&self, grouped: bool) -> String {
        let mut words = name(self.label.as_deref().unwrap_or_default());
        if let Some(group) = self.group.as_deref().filter(|_| grouped) {
            words = format!("{words} of {}", name(group));
        }
        if let Some(kind) = &self.kind {
            let title = self.title.as_deref().map(|title| format!(" \"{}\"", name(title)));
            return format!("{}{}", name(kind), title.unwrap_or_default());
        }
        if let Some(points) = &self.points {
            return format!("{words} ({} points{})", points.len(), span(points));
        }
        if let Some(value) = self.value {
            return format!("{words} {}", number(value));
        }
        if let Some(angle) = self.angle {
            return format!("{words} {} %", number(angle / 3.6));
        }
        if let (Some(min), Some(median), Some(max)) = (self.min, self.median, self.max) {
            let [min, median, max] = [min, median, max].map(number);
            return format!("{words} (median {median}, {min} to {max})");
        }
        words
    }
}

impl Table {
    fn in_words(&self) -> String {
        let Self { shape: (rows, columns), .. } = self;
        let given = self.columns.first().map_or(0, |column| column.values.len());
        let given = if self.truncated { format!(" ({given} given)") } else { String::new() };
        let head = format!("table: {rows} rows{given}, {columns} columns");
        let columns = self.columns.iter().map(|Column { name: label, dtype, .. }| {
            format!("{} {}", name(label.as_deref().unwrap_or("unnamed")), name(dtype))
        });
        with_list(head, columns)
    }
}

/// From which y to which.
fn span(points: &[(IgnoredAny, Coordinate)]) -> String {
    let numbers = points.iter().filter_map(|(_, y)| match y {
        Coordinate::Number(y) => Some(*y),
        Coordinate::Other(IgnoredAny) => None,
    });
    let ends = numbers.fold(None, |ends: Option<(f64, f64)>, y| {
        let (low, high) = ends.unwrap_or((y, y));
        Some((low.min(y), high.max(y)))
    });
    ends.map_or_else(String::new, |(low, high)| format!(", y {} to {}", number(low), number(high)))
}

fn with_list(head: String, items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(NAMED);
    let list = items.take(NAMED).collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    if list.is_empty() { head } else { format!("{head}: {list}{more}") }
}

/// With no more digits than a reader needs.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    let digits = if size >= 1000.0 { 2 } else { 4 };
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn name(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(NAME).collect();
    if characters.next().is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests;
