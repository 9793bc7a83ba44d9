//! Changes to a text that leave every line where it is, and know what they did to the columns.

use oxc_span::Span;
use serde::Serialize;

/// What a change did to one line: text of `length` units now stands from `column` on, `delta` units longer
/// than what it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Counted from 1.
    pub line: u32,
    /// In the new line, counted from 0, in UTF-16 units, as all here.
    pub column: u32,
    /// How much longer the line is now.
    pub delta: i64,
    /// Of the new text.
    pub length: u32,
}

struct Edit {
    start: u32,
    end: u32,
    text: String,
}

/// Changes, in any order, none across another's border.
pub(crate) struct Edits<'s> {
    source: &'s str,
    list: Vec<Edit>,
}

impl<'s> Edits<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, list: Vec::new() }
    }

    /// Puts `text`, without a newline, in the place of a piece of the source. The newlines in that stay, and
    /// blanks take the rest of its room.
    pub(crate) fn replace(&mut self, start: u32, end: u32, text: impl Into<String>) {
        self.list.push(Edit { start, end, text: text.into() });
    }

    pub(crate) fn insert(&mut self, position: u32, text: impl Into<String>) {
        self.replace(position, position, text);
    }

    pub(crate) fn blank(&mut self, start: u32, end: u32) {
        if start < end {
            self.replace(start, end, "");
        }
    }

    /// Whether `span`, whose changes are the latest, ends with blanks.
    pub(crate) fn ends_blank(&self, span: Span) -> bool {
        let mut inside = self.list.iter().rev().take_while(|edit| edit.end > span.start);
        inside.find(|edit| edit.end == span.end).is_some_and(|edit| edit.text.is_empty())
    }

    /// What [`Edits::take`] goes back to.
    pub(crate) fn mark(&self) -> usize {
        self.list.len()
    }

    /// Takes the text of `span`, with its changes since `mark`, away, in order to put it elsewhere on one line; blanks
    /// stay.
    pub(crate) fn take(&mut self, span: Span, mark: usize) -> String {
        let (text, _) = apply(self.source, self.list.split_off(mark), span.start, span.end);
        self.blank(span.start, span.end);
        text.replace(['\r', '\n'], " ")
    }

    /// The new text.
    pub(crate) fn apply(self) -> (String, Vec<Shift>) {
        let end = u32::try_from(self.source.len()).unwrap_or(u32::MAX);
        apply(self.source, self.list, 0, end)
    }
}

fn apply(source: &str, mut list: Vec<Edit>, from: u32, to: u32) -> (String, Vec<Shift>) {
    list.sort_by_key(|edit| edit.start);
    let mut out = Output { text: String::with_capacity(source.len() * 2), line: 1, column: 0 };
    let mut shifts = Vec::new();
    let mut position = from;
    for Edit { start, end, text } in list {
        debug_assert!(position <= start, "an edit across another's border at {start}");
        out.push(slice(source, position, start));
        let removed = slice(source, start, end);
        let (line, column) = (out.line, out.column);
        out.push(&text);
        let (length, room) = (units(&text), units(removed));
        if length <= room || removed.contains('\n') {
            out.push_blanks(removed, length);
        } else {
            let delta = i64::from(length) - i64::from(room);
            shifts.push(Shift { line, column, delta, length });
        }
        position = end.max(position);
    }
    out.push(slice(source, position, to));
    (out.text, shifts)
}

fn slice(source: &str, start: u32, end: u32) -> &str {
    source.get(start as usize..end as usize).unwrap_or_default()
}

fn units(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}

struct Output {
    text: String,
    line: u32,
    column: u32,
}

impl Output {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        for c in text.chars() {
            self.count(c);
        }
    }

    /// Blanks instead of `removed`, but for its first `taken` units.
    fn push_blanks(&mut self, removed: &str, taken: u32) {
        let mut passed = 0;
        for c in removed.chars() {
            let width = c.len_utf16() as u32;
            if matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
                self.text.push(c);
                self.count(c);
            } else if passed >= taken {
                for _ in 0..width {
                    self.text.push(' ');
                    self.column += 1;
                }
            }
            passed += width;
        }
    }

    fn count(&mut self, c: char) {
        if c == '\n' {
            self.line += 1;
            self.column = 0;
        } else {
            self.column += c.len_utf16() as u32;
        }
    }
}
