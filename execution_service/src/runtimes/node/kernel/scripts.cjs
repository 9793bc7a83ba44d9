// Running compiled code so that SIGINT ends it.
'use strict';

const vm = require('node:vm');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const path = require('node:path');
const { HOME } = require('./diagnostics.cjs');
const language = require('./language.cjs');
const { fromNative, withStack } = require('./syntax.cjs');

/** Makes import() work in a vm script, relative to its file. Node 18 has no constant for it. */
const importOption = language.importModule !== null
  ? (specifier, _, attributes) => language.importModule(specifier, path.join(HOME, language.main), attributes)
  : vm.constants && vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
  ? vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
  : (specifier, script) => {
    const relative = /^\.{0,2}\//.test(specifier);
    const base = typeof script.filename === 'string' ? script.filename : path.join(process.cwd(), 'main.js');
    if (!relative) return import(resolveFrom(base, specifier));
    return import(pathToFileURL(path.resolve(path.dirname(base), specifier)).href);
  };

function resolveFrom(base, specifier) {
  if (/^[a-z]+:/.test(specifier)) return specifier;
  const found = createRequire(base).resolve(specifier);
  return path.isAbsolute(found) ? pathToFileURL(found).href : found;
}

const { defineProperty } = Object;
const activeResources = process.getActiveResourcesInfo.bind(process);
const now = performance.now.bind(performance);
const SLOT = '__crucible_step';
const breakable = new vm.Script(`globalThis.${SLOT}()`, { filename: 'node:kernel' });

/** Calls `step`; a SIGINT meanwhile ends it with ERR_SCRIPT_EXECUTION_INTERRUPTED, even in an endless loop. */
function runBreakable(step) {
  // Node breaks only what runs below a vm script, and such a script sees nothing but globals.
  defineProperty(globalThis, SLOT, {
    configurable: true,
    enumerable: false,
    value: () => {
      delete globalThis[SLOT];
      return step();
    },
  });
  return breakable.runInThisContext({ breakOnSigint: true, displayErrors: false });
}

/**
 * After a program's own code: bare Node has needed so long for it that a timer of 1 ms goes off before what
 * setImmediate() asked for, and here it would not. Waits that long if there is both.
 */
function settleOrder() {
  const names = activeResources();
  if (!names.includes('Timeout') || !names.includes('Immediate')) return;
  const end = now() + 1.1;
  while (now() < end);
}

/** Options of runInThisContext: do not write the source line into the text of an error's stack. */
const PLAIN = { displayErrors: false };

/** Compiles a rewritten program, whose first line was put before the user's. Throws a ProgramSyntaxError. */
function compileScript({ code, shifts }, filename) {
  const options = { filename, lineOffset: -1, importModuleDynamically: importOption };
  try {
    return withStack(() => new vm.Script(code, options), () => ({ line: 1, column: 0 }));
  } catch (error) {
    throw fromNative(error, shifts) || error;
  }
}

module.exports = { PLAIN, compileScript, importOption, runBreakable, settleOrder };
