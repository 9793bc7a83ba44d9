// What went wrong, in the form a model can act on; read from error objects only.
'use strict';

const { inspect } = require('node:util');
const { readdirSync, readFileSync } = require('node:fs');
const { errno } = require('node:os').constants;
const path = require('node:path');
const vm = require('node:vm');
const { LINE_END } = require('./edits.cjs');
const language = require('./language.cjs');
const { isRewritten, sourceLine } = require('./stack.cjs');
const { FENCE_HINT, ProgramSyntaxError } = require('./syntax.cjs');

const { defineProperty } = Object;
const HOME = process.cwd();
const KEPT = 64 * 1024;
const LISTED_FILES = 20;
const EMPTY = {
  file: null,
  line: null,
  column: null,
  traceback: null,
  missing_module: null,
  retryable: false,
  hint: null,
  errno: null,
};

/** Describes an uncaught value. `firstRun`: no code ran in this process before, so no earlier name exists. */
function describe(error, firstRun) {
  if (!(error instanceof Error) && Object.prototype.toString.call(error) !== '[object Error]') {
    return { ...EMPTY, kind: 'exception', name: 'Uncaught', message: shorten(inspect(error)) };
  }
  const place = placeOf(error);
  return {
    ...EMPTY,
    kind: 'exception',
    name: textOf(error.name) || 'Error',
    message: shorten(textOf(error.message)),
    file: place && path.relative(HOME, place.file),
    line: place && place.line,
    column: place && place.column,
    traceback: shorten(textOf(error.stack)),
    missing_module: missingModule(error),
    hint: hintFor(error, firstRun, place),
    errno: errnoOf(error),
  };
}

function describeSyntax(error, file) {
  const { message, line, column, hint } = error;
  const traceback = syntaxText(error, file);
  return { ...EMPTY, kind: 'syntax', name: 'SyntaxError', message, file, line, column, traceback, hint };
}

function describeExit(exitCode) {
  return { ...EMPTY, kind: 'exit', name: 'ExitStatus', message: `exit status ${exitCode}` };
}

function describeInterrupt() {
  return { ...EMPTY, kind: 'exception', name: 'Interrupted', message: 'the run was interrupted' };
}

/** What Node prints for a syntax error in `file`, without the frames of its loader. */
function syntaxText(error, file) {
  return `${arrow(path.join(HOME, file), error.line, error.column)}SyntaxError: ${error.message}\n`;
}

/** What Node prints for an uncaught value: the source line, a caret, the stack and own properties. */
function uncaughtText(error) {
  if (error instanceof ProgramSyntaxError) return syntaxText(error, language.main);
  const place = error instanceof Error && !isDecorated(error) ? placeOf(error) : null;
  const text = error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`;
  return `${place ? arrow(place.file, place.line, place.column) : ''}${text}\n`;
}

const SLOT = '__crucible_error';
const rethrow = new vm.Script(`throw globalThis.${SLOT}`, { filename: 'node:kernel' });

/**
 * Before Node prints an error that nobody caught: where the line it would print first is not the user's,
 * the user's line takes its place.
 */
function showOwnLine(error) {
  try {
    const place = error instanceof Error && !isDecorated(error) ? placeOf(error) : null;
    if (place === null || !isRewritten(place.file, place.line)) return;
    const text = `${arrow(place.file, place.line, place.column)}${error.stack}`;
    markPrinted(error);
    error.stack = text;
  } catch {
    // frozen, or with accessors of its own: Node prints what it finds
  }
}

// Node prints no source line for an error that a script with displayErrors has thrown before; there is
// no other way to that mark.
function markPrinted(error) {
  defineProperty(globalThis, SLOT, { configurable: true, value: error });
  try {
    rethrow.runInThisContext({ displayErrors: true });
  } catch {
    // always: the very same error
  } finally {
    delete globalThis[SLOT];
  }
}

// Its stack begins with its place already, as that of a module with a syntax error does.
function isDecorated(error) {
  return /^.*:\d+\n/.test(textOf(error.stack));
}

function arrow(file, line, column) {
  const source = sourceLine(file, line) ?? lineOfFile(file, line);
  return source === null ? `${file}:${line}\n` : `${file}:${line}\n${source}\n${' '.repeat(column - 1)}^\n\n`;
}

function lineOfFile(file, line) {
  try {
    return readFileSync(file, 'utf8').split(LINE_END)[line - 1] ?? null;
  } catch {
    return null;
  }
}

// The innermost frame in a file of the user's.
function placeOf(error) {
  const found = textOf(error.stack).matchAll(/^ {4}at .*?\(?(?:file:\/\/)?(\/[^():\n]+):(\d+):(\d+)\)?$/gm);
  for (const [, file, line, column] of found) {
    if (file.startsWith(HOME + path.sep) && !file.includes('/node_modules/')) {
      return { file, line: Number(line), column: Number(column) };
    }
  }
  return null;
}

// The operating system's number, also where V8 and Node say the same in words of their own.
function errnoOf(error) {
  if (typeof error.errno === 'number' && typeof error.syscall === 'string') return Math.abs(error.errno);
  const outOfMemory = error instanceof RangeError && error.message === 'Array buffer allocation failed';
  if (outOfMemory || error.code === 'ERR_MEMORY_ALLOCATION_FAILED') return errno.ENOMEM;
  if (error.code !== 'ERR_WORKER_INIT_FAILED') return null;
  const named = /\b(E[A-Z0-9]+)$/.exec(textOf(error.message));
  return named === null ? null : errno[named[1]] ?? null;
}

function missingModule(error) {
  if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_MODULE_NOT_FOUND') return null;
  const named = /^Cannot find (?:module|package) '([^']+)'/.exec(textOf(error.message));
  return named ? named[1] : null;
}

function hintFor(error, firstRun, place) {
  // Two backquotes and a template: JavaScript, as it happens.
  if (place !== null && (sourceLine(place.file, 1) || '').startsWith('```')) return FENCE_HINT;
  const { code } = error.cause instanceof Error ? error.cause : error; // fetch() fails because of another error
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return 'The name of this host cannot be looked up: a sandbox has no network unless the operator allows it.';
  }
  const missing = missingModule(error);
  if (missing !== null) {
    return /^[./]/.test(missing) || missing.startsWith('file:')
      ? `There is no such file; the path is relative to ${HOME}.`
      : `${missing} is not installed here: Node's built-in modules and files of the workspace can be loaded.`;
  }
  if (error.name === 'ReferenceError' && firstRun) {
    return 'This is the first run of this process: names of earlier runs do not exist in it.';
  }
  if (error.code !== 'ENOENT' || typeof error.path !== 'string') return null;
  return listing(path.dirname(path.resolve(HOME, error.path)));
}

function listing(folder) {
  try {
    const names = readdirSync(folder).sort();
    const more = names.length > LISTED_FILES ? `, … (${names.length} in all)` : '';
    return `${folder} holds: ${names.slice(0, LISTED_FILES).join(', ') || 'nothing'}${more}`;
  } catch {
    return `The folder ${folder} does not exist; the working directory is ${HOME}.`;
  }
}

function textOf(value) {
  return typeof value === 'string' ? value : '';
}

function shorten(text) {
  if (text.length <= KEPT) return text;
  const leftOut = text.length - KEPT;
  return `${text.slice(0, KEPT / 2)}\n… ${leftOut} characters left out …\n${text.slice(-KEPT / 2)}`;
}

module.exports = {
  HOME, describe, describeExit, describeInterrupt, describeSyntax, showOwnLine, syntaxText, uncaughtText,
};
