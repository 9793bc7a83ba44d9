// Parsing: acorn for the structure, V8 for the words of an error.
'use strict';

const vm = require('node:vm');
const nodeModule = require('node:module');
const { Parser, getLineInfo } = require('./acorn.cjs');
const { originalColumn } = require('./edits.cjs');
const language = require('./language.cjs');
const { process } = require('./process.cjs');

const OPTIONS = {
  ecmaVersion: 'latest',
  // One grammar for scripts and modules: import, require and top-level await side by side.
  sourceType: 'script',
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowReturnOutsideFunction: true,
  allowHashBang: true,
  preserveParens: true, // the last expression is wrapped whole
};
// Node 22.13 and later.
const canStripTypes = typeof nodeModule.stripTypeScriptTypes === 'function';
const TYPESCRIPT_HINT = canStripTypes
  ? 'If this is TypeScript: types are stripped here, but enums, namespaces and decorators make code: send it as "typescript".'
  : `If this is TypeScript: this Node (${process.version}) cannot strip types, send it as "typescript".`;
const FENCE_HINT = 'The code has Markdown fences (```): send only what is between them.';

// Of a script V8 says so where a program of ours may be either.
const OF_MODULES = /import|export|await|Illegal return/;

const NO_STACK = 'The program is nested too deeply';
const { RangeError } = globalThis; // what V8 throws when its stack is used up

/** A syntax error in the user's code: what to print, and where it is. Line and column count from 1. */
class ProgramSyntaxError extends Error {
  constructor(message, line, column, hint) {
    super(message);
    this.name = 'SyntaxError';
    this.line = line;
    this.column = column;
    this.hint = hint;
  }
}

class ProgramParser extends Parser {
  // A program is the code of a function.
  get allowNewDotTarget() {
    return true;
  }

  // Later versions look here at the text of every error, with a regular expression. Compiling one where
  // the stack has run out is fatal to V8, and to the process with it.
  catchStackOverflow(step) {
    return step();
  }
}

/**
 * Returns `{ source, body, metas, needsAsync, isModule, shifts, unused }`, or throws a ProgramSyntaxError. `shifts` are
 * those of a translated program's columns, `unused` the names that it imports and, `keepsImports` asks, does not use.
 */
function parseProgram(code, keepsImports = false) {
  if (language.translate === null) return parseJavaScript(code);
  const { error, code: source, shifts, unused } = language.translate(code, keepsImports);
  if (error) throw inJavaScriptsWords(code, error);
  try {
    return { ...examined(source, parse(source)), shifts, unused };
  } catch (refused) {
    const own = refused instanceof ProgramSyntaxError ? refused : explained(source, refused);
    throw new ProgramSyntaxError(own.message, own.line, originalColumn(shifts, own.line, own.column), own.hint);
  }
}

/** The same of a program that is in JavaScript. */
function parseJavaScript(code) {
  const { source, tree } = parseWithOrWithoutTypes(code);
  return examined(source, tree);
}

function examined(source, tree) {
  return withStack(() => examine(source, tree), () => ({ line: 1, column: 0 }));
}

// Where it is no JavaScript either, at the same place, V8's words are those that everybody knows.
function inJavaScriptsWords(code, { message, line, column }) {
  const hint = /^\s*```/m.test(code) ? FENCE_HINT : null;
  try {
    parse(code);
  } catch (error) {
    const own = error instanceof ProgramSyntaxError ? error : explained(code, error);
    if (own.line === line && own.column === column) return new ProgramSyntaxError(own.message, line, own.column, hint);
  }
  return new ProgramSyntaxError(message, line, column, hint);
}

function parseWithOrWithoutTypes(code) {
  try {
    return { source: code, tree: parse(code) };
  } catch (error) {
    if (error instanceof ProgramSyntaxError) throw error;
    const source = withoutTypes(code);
    if (source === null) throw explained(code, error);
    try {
      return { source, tree: parse(source) };
    } catch (again) {
      throw again instanceof ProgramSyntaxError ? again : explained(code, again);
    }
  }
}

/** Throws acorn's SyntaxError, or a ProgramSyntaxError where the stack was too small to go on. */
function parse(source) {
  const parser = new ProgramParser(OPTIONS, source);
  return withStack(() => parser.parse(), () => getLineInfo(source, parser.start));
}

/** Calls `step`; if it uses up the stack, the error is a ProgramSyntaxError at `place()`. */
function withStack(step, place) {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { line, column } = place();
    throw new ProgramSyntaxError(NO_STACK, line, column + 1, null);
  }
}

function examine(source, tree) {
  // Most programs have neither word, and walking a tree costs as much as making it.
  const found = { await: false };
  if (source.includes('await')) for (const node of tree.body) search(node, found);
  const isModule = tree.body.some((node) => /^(Import|Export)/.test(node.type));
  const metas = source.includes('meta') ? collectMetas(tree) : [];
  return { source, body: tree.body, metas, isModule, needsAsync: isModule || found.await };
}

function withoutTypes(code) {
  if (!canStripTypes) return null;
  const { emitWarning } = process;
  process.emitWarning = () => {}; // it says that the function is experimental: not the user's concern
  try {
    return nodeModule.stripTypeScriptTypes(code); // types become blanks: positions stay
  } catch {
    return null; // no TypeScript either: the error of the JavaScript parser is the one to report
  } finally {
    process.emitWarning = emitWarning;
  }
}

function explained(code, error) {
  const { loc, pos } = error;
  if (loc === undefined) throw error;
  const hint = hintFor(code, pos);
  const { message, line, column } = inOwnWords(code, loc) || error;
  const words = message.replace(/ \(\d+:\d+\)$/, ''); // acorn adds the place
  return new ProgramSyntaxError(words, line || loc.line, column || loc.column + 1, hint);
}

// What V8 says of a mistake at `loc`, and where it sees it, if it tells; null if it sees none.
function inOwnWords(code, loc) {
  const script = refusal(() => new vm.Script(code, { filename: 'main.js' }));
  if (script !== null && (!OF_MODULES.test(script.message) || isAwait(script, loc))) return script;
  // A module knows import, export and await, and is told without a place.
  return refusal(() => new vm.SourceTextModule(code, { identifier: 'main.js' }));
}

// In a function that is not async, where it is the mistake; elsewhere a program here may have it.
function isAwait({ message, line }, loc) {
  return message.startsWith('await is only valid') && line === loc.line;
}

function refusal(compile) {
  try {
    compile();
    return null;
  } catch (native) {
    if (native.name !== 'SyntaxError') return null;
    return fromNative(native, new Map()) || { message: native.message };
  }
}

/**
 * A syntax error that V8 found in rewritten code, or null for any other error. Its stack begins with
 * "FILE:LINE", the source line and a caret: V8's own account of the place.
 */
function fromNative(native, shifts, hint = null) {
  const place = /^.*:(\d+)\n.*\n( *)\^/.exec(String(native.stack));
  if (native.name !== 'SyntaxError' || place === null) return null;
  const line = Number(place[1]);
  const column = originalColumn(shifts, line, place[2].length + 1);
  return new ProgramSyntaxError(native.message, line, column, hint);
}

function hintFor(code, position) {
  if (/^\s*```/m.test(code)) return FENCE_HINT;
  return looksTyped(code, position) ? TYPESCRIPT_HINT : null;
}

// A hint only where the parser stopped at what TypeScript would have accepted.
function looksTyped(code, position) {
  const rest = code.slice(position, position + 40);
  const before = code.slice(Math.max(0, position - 40), position);
  const words = /\b(interface|type|enum|namespace|declare|as|satisfies|abstract|public|private|readonly)\s+$/;
  const begins = /^((as|satisfies)\b|(enum|interface|namespace)\s+\w+\s*\{|@\w+)/;
  return /^:\s*[A-Za-z{[(]/.test(rest) || begins.test(rest) || words.test(before);
}

function* children(node) {
  for (const key in node) {
    const value = node[key];
    if (value === null || typeof value !== 'object') continue;
    if (typeof value.type === 'string') yield value;
    else if (Array.isArray(value)) yield* value.filter((item) => item && typeof item.type === 'string');
  }
}

function search(node, found) {
  if (node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await)) found.await = true;
  // Inside a function, await belongs to that function; so it does in what a class evaluates later.
  if (/Function/.test(node.type) || node.type === 'StaticBlock' || node.type === 'PropertyDefinition') return;
  for (const child of children(node)) search(child, found);
}

function collectMetas(tree, found = []) {
  if (tree.type === 'MetaProperty' && tree.meta.name === 'import') found.push(tree);
  for (const child of children(tree)) collectMetas(child, found);
  return found;
}

module.exports = { FENCE_HINT, fromNative, parseJavaScript, parseProgram, ProgramSyntaxError, withStack };
