// A stateless run: the user's program is the main module, and everything ends as it would alone.
//
// Errors are left uncaught on purpose. Node prints them, runs the exit hooks and chooses the status;
// the kernel only listens and reports what it heard when the process exits.
'use strict';

const Module = require('node:module');
const path = require('node:path');
const { types } = require('node:util');
const { process, listenerCount, listeners, on, once } = require('./process.cjs');
const channel = require('./channel.cjs');
const {
  describe, describeExit, describeInterrupt, describeSyntax, showOwnLine, syntaxText,
} = require('./diagnostics.cjs');
const { beginResults, display, sendMainResult } = require('./results.cjs');
const { rewriteForOnce } = require('./rewrite.cjs');
const { PLAIN, compileScript, runBreakable, settleOrder } = require('./scripts.cjs');
const { ProgramFile } = require('./program-file.cjs');
const { registerProgram } = require('./stack.cjs');
const { applyRequest, listenForInterrupt, openStdin } = require('./environment.cjs');
const { parseProgram, ProgramSyntaxError } = require('./syntax.cjs');

const INTERRUPTED = 130; // 128 + SIGINT, as a shell reports it
const UNSETTLED = 13; // Node's status for a top-level await that never ended
const { reallyExit } = process;
const { isPromise } = types;
const reflectApply = Reflect.apply;

/** Runs `request`; the process ends by itself afterwards. */
function runOnce(request) {
  const filename = applyRequest(request);
  if (request.stdin !== null) openStdin(request.stdin);
  beginResults(request.id);
  globalThis.display = display;

  const program = compile(request, filename);
  if (program === null) return;
  const file = new ProgramFile(filename);
  file.write(request.code);

  let diagnostic = null;
  let pendingValue = null;
  let settled = !program.isAsync;

  const interrupted = () => {
    process.stderr.write('Interrupted\n');
    file.remove();
    sendDone(request, INTERRUPTED, describeInterrupt(), true);
    reallyExit.call(process, INTERRUPTED);
  };
  listenForInterrupt(interrupted);
  on('uncaughtExceptionMonitor', (error) => {
    if (error && error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') interrupted();
    // With a listener of the user's own it is caught after all.
    if (listenerCount('uncaughtException') > 0) return;
    diagnostic = describe(error, false);
    showOwnLine(error);
  });
  once('beforeExit', () => {
    // Only now: a handler attached earlier would hide a rejection from Node.
    if (pendingValue !== null) {
      pendingValue.then((value) => sendMainResult(value), () => {});
    }
  });
  on('exit', function atExit(code) {
    if (!settled && code === 0) {
      process.exitCode = UNSETTLED;
      process.stderr.write(`Warning: Detected unsettled top-level await at ${filename}\n`);
    }
    const status = Number(process.exitCode ?? code);
    file.remove();
    sendDone(request, status, diagnostic || (status === 0 ? null : describeExit(status)), false);
    // With nobody left to hear of the exit, what Node still does is to free, piece by piece, what the
    // kernel frees at once. An uncaught error is printed only after this.
    if (diagnostic === null && isLast(atExit)) {
      channel.send({ event: 'exit', id: request.id, exit_code: status & 0xff });
      reallyExit.call(process, status);
    }
  });

  const main = moduleOf(filename);
  process.mainModule = main; // before require() is made, which keeps it as require.main
  Module._cache[filename] = main;
  const value = runBreakable(() => callProgram(program.script, main));
  main.loaded = true;
  settleOrder();
  if (program.isAsync) {
    value.then(() => {
      settled = true;
    });
  }
  if (isPromise(value)) pendingValue = value;
  else sendMainResult(value);
}

/** A new module for the program `filename`. */
function moduleOf(filename) {
  const main = new Module('.', null);
  main.filename = filename;
  main.paths = Module._nodeModulePaths(path.dirname(filename));
  return main;
}

/** Runs the script of a program as the code of `main`. */
function callProgram(script, main) {
  const { exports, filename } = main;
  const parameters = [exports, Module.createRequire(filename), main, filename, path.dirname(filename)];
  return reflectApply(script.runInThisContext(PLAIN), exports, parameters);
}

// A status that Node itself would not take as it is goes the long way, too.
function isLast(listener) {
  const all = listeners('exit');
  return all[all.length - 1] === listener && Number.isInteger(process.exitCode ?? 0);
}

function compile(request, filename) {
  try {
    const program = rewriteForOnce(parseProgram(request.code));
    registerProgram(filename, request.code, program);
    return { isAsync: program.isAsync, script: compileScript(program, filename) };
  } catch (error) {
    if (!(error instanceof ProgramSyntaxError)) throw error;
    registerProgram(filename, request.code);
    process.stderr.write(`${syntaxText(error, request.file)}\nNode.js ${process.version}\n`);
    sendDone(request, 1, describeSyntax(error, request.file), false);
    process.exitCode = 1;
    return null;
  }
}

function sendDone(request, exitCode, diagnostic, interrupted) {
  channel.send({ event: 'done', id: request.id, exit_code: exitCode, diagnostic, interrupted });
}

module.exports = { callProgram, moduleOf, runOnce };
