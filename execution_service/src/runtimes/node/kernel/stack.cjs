// Stack traces as the user's program would have them alone: no frame of the kernel, columns of the
// text that the user wrote.
'use strict';

const path = require('node:path');
const { originalColumn } = require('./edits.cjs');

const RUNTIMES = path.dirname(path.dirname(__dirname)) + path.sep;
const BOOT_SCRIPT = 'node:kernel'; // the script of scripts.cjs
const LOADER = /^node:(internal\/(modules|vm)|vm)\b/;
const programs = new Map();
const errorToString = Error.prototype.toString;
const reflectApply = Reflect.apply;

/**
 * Makes a rewritten program known, so that its positions can be told in terms of its `source`; `code` is
 * what runs in its place, one line further down.
 */
function registerProgram(filename, source, { code = `\n${source}`, shifts = new Map() } = {}) {
  programs.set(filename, { lines: source.split('\n'), rewritten: code.split('\n'), shifts });
}

/** Undoes `registerProgram`. */
function forgetProgram(filename) {
  programs.delete(filename);
}

/** Whether a line of a program's source is not what V8 has, and Node would print. */
function isRewritten(filename, line) {
  const program = programs.get(filename);
  return program !== undefined && program.lines[line - 1] !== program.rewritten[line];
}

/** The line of a program's source, or null. */
function sourceLine(filename, line) {
  const program = programs.get(filename);
  return program && line <= program.lines.length ? program.lines[line - 1] : null;
}

function prepareStackTrace(error, sites) {
  let kept = sites;
  const ours = sites.findIndex((site) => isOurs(site.getFileName()));
  if (ours >= 0) {
    kept = sites.slice(0, ours);
    // The loader's frames between the user's code and ours.
    while (kept.length > 0 && LOADER.test(kept[kept.length - 1].getFileName() || '')) kept.pop();
  }
  const lines = kept.filter(isWritten).map((site) => `\n    at ${described(site)}`);
  return header(error) + lines.join('');
}

function isOurs(filename) {
  return typeof filename === 'string' && (filename === BOOT_SCRIPT || filename.startsWith(RUNTIMES));
}

// The call of the wrapper that makes top-level await work stands below the last line.
function isWritten(site) {
  const program = programs.get(site.getFileName());
  return program === undefined || site.getLineNumber() <= program.lines.length;
}

function described(site) {
  const text = `${site}`;
  const program = programs.get(site.getFileName());
  if (program === undefined) return text;
  const line = site.getLineNumber();
  const column = originalColumn(program.shifts, line, site.getColumnNumber());
  return text.replace(/:\d+:\d+(\)?)$/, `:${line}:${column}$1`);
}

function header(error) {
  let text;
  try {
    text = reflectApply(errorToString, error, []);
  } catch {
    return '<error>';
  }
  // As Node prints its own errors.
  const { code, name } = error;
  if (typeof code !== 'string' || typeof name !== 'string') return text;
  const tagged = code.startsWith('ERR_') && text.startsWith(`${name}:`);
  return tagged ? `${name} [${code}]${text.slice(name.length)}` : text;
}

/** Installs the filter, which a program may replace by an `Error.prepareStackTrace` of its own. */
function installStackFilter() {
  Error.prepareStackTrace = prepareStackTrace;
}

module.exports = { forgetProgram, installStackFilter, isRewritten, registerProgram, sourceLine };
