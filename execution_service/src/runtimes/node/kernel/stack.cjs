// Stack traces as the user's program would have them alone: no frame of the kernel, columns of the
// text that the user wrote.
'use strict';

const path = require('node:path');
const { LINE_END, originalColumn } = require('./edits.cjs');

const RUNTIMES = path.dirname(path.dirname(__dirname)) + path.sep;
const BOOT_SCRIPT = 'node:kernel'; // the script of scripts.cjs
const ON_THE_WAY = path.join(__dirname, 'modules.cjs');
const LOADER = /^node:(internal\/(modules|vm)|vm)\b/;
const programs = new Map();
// The mark of an error that Node's own code has made.
const NODE_ERROR = markOf(() => Buffer.alloc('size'));
const errorToString = Error.prototype.toString;
const reflectApply = Reflect.apply;

function markOf(mistake) {
  try {
    mistake();
  } catch (error) {
    for (let place = error; place !== null; place = Object.getPrototypeOf(place)) {
      const mark = Object.getOwnPropertySymbols(place).find(({ description }) => description === 'kIsNodeError');
      if (mark !== undefined) return mark;
    }
  }
  return undefined;
}

/**
 * Makes a rewritten program known, so that its positions can be told in terms of its `source`; `code` is
 * what runs in its place, one line further down.
 */
function registerProgram(filename, source, { code = `\n${source}`, shifts = new Map() } = {}) {
  programs.set(filename, { lines: source.split(LINE_END), rewritten: code.split(LINE_END), shifts });
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
  const ours = sites.findIndex((site) => isOurs(site.getFileName()) && !isOnTheWay(site.getFileName()));
  if (ours >= 0) {
    kept = sites.slice(0, ours);
    // The loader's frames between the user's code and ours.
    while (kept.length > 0 && LOADER.test(kept[kept.length - 1].getFileName() || '')) kept.pop();
  }
  // Where the stack is deeper than it is shown, the call of the program may be its last frame.
  if (ours < 0 && kept.length > 0 && kept[kept.length - 1].getFileName() === 'node:vm') kept = kept.slice(0, -1);
  const lines = kept.filter((site) => !isOnTheWay(site.getFileName()) && isWritten(site)).map((site) => `\n    at ${described(site)}`);
  return header(error) + lines.join('');
}

function isOurs(filename) {
  return typeof filename === 'string' && (filename === BOOT_SCRIPT || filename.startsWith(RUNTIMES));
}

// Between a require() of the program and the module that it loads.
function isOnTheWay(filename) {
  return filename === ON_THE_WAY;
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
  if (NODE_ERROR === undefined || !(NODE_ERROR in error) || typeof name !== 'string') return text;
  return text.startsWith(`${name}:`) ? `${name} [${code}]${text.slice(name.length)}` : text;
}

/** Installs the filter, which a program may replace by an `Error.prepareStackTrace` of its own. */
function installStackFilter() {
  Error.prepareStackTrace = prepareStackTrace;
}

module.exports = { forgetProgram, installStackFilter, isRewritten, registerProgram, sourceLine };
