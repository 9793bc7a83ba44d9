// Text edits that keep every line where it was, and know what they did to the columns.
'use strict';

/** What V8 counts as the end of a line. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/;
const LINE_ENDS = new RegExp(LINE_END, 'g');

class Edits {
  constructor(source) {
    this.source = source;
    this.list = [];
  }

  /** Replaces source[start, end) by `text`, which must not contain a newline; those replaced are kept. */
  replace(start, end, text) {
    this.list.push({ start, end, text, order: this.list.length });
  }

  insert(position, text) {
    this.replace(position, position, text);
  }

  /** Returns `{ code, shifts }`; see `originalColumn`. */
  apply() {
    this.list.sort((a, b) => a.start - b.start || a.order - b.order);
    const shifts = new Map();
    let code = '';
    let position = 0;
    let line = 1;
    let lineStart = 0; // in the new code
    const copy = (text) => {
      for (const end of text.matchAll(LINE_ENDS)) {
        line += 1;
        lineStart = code.length + end.index + end[0].length;
      }
      code += text;
    };
    for (const { start, end, text } of this.list) {
      copy(this.source.slice(position, start));
      const removed = this.source.slice(start, end);
      const column = code.length - lineStart;
      code += text;
      const newlines = removed.split(LINE_END).length - 1;
      const delta = newlines > 0 ? 0 : text.length - removed.length;
      if (delta !== 0) {
        if (!shifts.has(line)) shifts.set(line, []);
        shifts.get(line).push({ column, delta, length: text.length });
      }
      copy('\n'.repeat(newlines));
      position = end;
    }
    copy(this.source.slice(position));
    return { code, shifts };
  }
}

/** Column (from 1) in the user's source for a column in the rewritten line. */
function originalColumn(shifts, line, column) {
  let original = column;
  for (const shift of shifts.get(line) || []) {
    if (column > shift.column + shift.length) original -= shift.delta;
    else if (column > shift.column) {
      return originalIn(shifts.before, line, Math.max(1, original - (column - shift.column - 1)));
    }
  }
  return originalIn(shifts.before, line, Math.max(1, original));
}

// Of text that had been changed before.
function originalIn(before, line, column) {
  return before ? originalColumn(before, line, column) : column;
}

module.exports = { Edits, LINE_END, originalColumn };
