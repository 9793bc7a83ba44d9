// A session: runs in one global scope, one after the other. Between runs the event loop stands still.
//
//   receive ──▶ run the top-level code ──▶ wait for its work (idle.cjs) ──▶ done ──▶ receive …
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const { types } = require('node:util');
const { process, emit, listenerCount, on, removeListener } = require('./process.cjs');
const { moduleOf } = require('./once.cjs');
const channel = require('./channel.cjs');
const {
  HOME, describe, describeExit, describeInterrupt, describeSyntax, syntaxText, uncaughtText,
} = require('./diagnostics.cjs');
const { ExitRequest, beginRun, runExitListeners, stop, watchTimers } = require('./exit.cjs');
const { countIntervals, countWorkers, pendingWork } = require('./idle.cjs');
const language = require('./language.cjs');
const { ProgramFile } = require('./program-file.cjs');
const { forgetRewritten, noteSources } = require('./modules.cjs');
const { beginResults, display, sendMainResult } = require('./results.cjs');
const { META_NAME, NAMED, importNamed, rewriteForSession } = require('./rewrite.cjs');
const { PLAIN, compileScript, runBreakable, settleOrder } = require('./scripts.cjs');
const { registerProgram } = require('./stack.cjs');
const { writeError, repairStreams } = require('./streams.cjs');
const { applyRequest, listenForInterrupt, openStdin, renewStdinStream } = require('./environment.cjs');
const { parseProgram, ProgramSyntaxError } = require('./syntax.cjs');

const INTERRUPTED = 130;
const POLL_MS = 5;
const { setImmediate, setTimeout, clearTimeout } = globalThis;
const { defineProperty, getOwnPropertyDescriptor } = Object;
const { isPromise } = types;
const { reallyExit } = process;

class Session {
  constructor() {
    this.runs = 0;
    this.run = null;
    this.baseline = 0;
    this.onUncaught = null;
    this.isBreakable = false;
    this.file = new ProgramFile(path.join(HOME, language.main));
  }

  /** Serves `request` and all that follow it. */
  serve(request) {
    this.prepareGlobals();
    countIntervals();
    countWorkers();
    watchTimers();
    noteSources();
    on('beforeExit', () => this.settle());
    this.begin(request);
  }

  prepareGlobals() {
    const filename = this.file.path;
    // Every run is the main program: `require.main === module`. Before require() is made, which keeps it.
    const module = moduleOf(filename);
    process.mainModule = module;
    const require = createRequire(filename);
    const meta = {
      url: require('node:url').pathToFileURL(filename).href,
      filename,
      dirname: HOME,
      resolve: (name) => require('node:url').pathToFileURL(require.resolve(name)).href,
    };
    const { exports } = module;
    const names = { require, module, exports, __filename: filename, __dirname: HOME, display };
    for (const [name, value] of Object.entries(names)) globalThis[name] = value;
    for (const [name, value] of [[META_NAME, meta], [NAMED, importNamed]]) {
      defineProperty(globalThis, name, { configurable: true, enumerable: false, value });
    }
  }

  begin(request) {
    this.runs += 1;
    const run = {
      request, settled: false, value: undefined, hasValue: false, exitCode: 0, diagnostic: null, timer: null, exited: false,
      inListeners: false,
    };
    this.run = run;
    beginRun(run);
    beginResults(request.id);
    repairStreams();
    this.listen(run);
    try {
      this.start(run);
    } catch (error) {
      this.uncaught(run, error);
      run.settled = true;
    }
    this.poll(run);
  }

  // Each run gets these anew: the last one may have replaced or removed them.
  listen(run) {
    listenForInterrupt(() => this.interrupted(run));
    if (this.onUncaught !== null) removeListener('uncaughtException', this.onUncaught);
    this.onUncaught = (error) => {
      const handled = listenerCount('uncaughtException') > 1; // by a listener of the user's own
      if (!handled) this.failed(this.run, error);
      else this.enterListeners(run);
    };
    on('uncaughtException', this.onUncaught);
    const exit = (code = process.exitCode) => this.exit(run, code);
    process.exit = exit;
    process.reallyExit = exit;
    process.exitCode = undefined;
  }

  // An error of a listener for errors would end the process.
  enterListeners(run) {
    run.inListeners = true;
    setImmediate(() => {
      run.inListeners = false;
    });
  }

  // Called by the user's code. Does not return, but in a listener of the exit that is going on, or of an error.
  exit(run, code) {
    if (run.exited) {
      process.exitCode = code;
      return;
    }
    run.exited = true;
    try {
      run.exitCode = runExitListeners(code === undefined ? 0 : Number(code));
    } catch (error) {
      this.failed(run, error);
    }
    this.finish(run, run.diagnostic || (run.exitCode === 0 ? null : describeExit(run.exitCode)), false);
    stop(this.isBreakable, run.inListeners);
  }

  start(run) {
    const { request } = run;
    applyRequest(request);
    openStdin(request.stdin);
    renewStdinStream();
    const file = language.cell(this.runs);
    const program = compile(request.code, file);
    for (const name of program.names) makeAssignable(name);
    forgetRewritten(request.code);
    this.file.write(request.code);
    const value = this.breakable(() => program.script.runInThisContext(PLAIN));
    settleOrder();
    run.hasValue = program.isAsync || program.hasValue;
    if (isPromise(value) && run.hasValue) {
      value.then(
        (result) => {
          run.value = result;
          run.settled = true;
        },
        (error) => {
          this.uncaught(run, error);
          run.settled = true;
        },
      );
      // The value of a program that ends in `main()` is awaited, but a promise that never settles is
      // shown as it is; only the program's own top-level await keeps the run open.
      if (!program.isAsync) {
        run.value = value;
        run.settled = true;
      }
    } else {
      if (run.hasValue) run.value = value;
      run.settled = true;
    }
  }

  breakable(step) {
    this.isBreakable = true;
    try {
      return runBreakable(() => {
        const value = step();
        this.isBreakable = false; // before what follows: promises go on when the script is over
        return value;
      });
    } finally {
      this.isBreakable = false;
    }
  }

  // Of the program itself, as if nothing of ours stood between it and Node.
  uncaught(run, error) {
    const ours = error instanceof ProgramSyntaxError || error instanceof ExitRequest;
    const interrupted = error && error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
    if (!ours && !interrupted && listenerCount('uncaughtException') > 1) {
      emit('uncaughtExceptionMonitor', error, 'uncaughtException');
      emit('uncaughtException', error, 'uncaughtException');
    } else {
      if (!ours && !interrupted) emit('uncaughtExceptionMonitor', error, 'uncaughtException');
      this.failed(run, error);
    }
  }

  failed(run, error) {
    if (run === null || error instanceof ExitRequest || this.run !== run) return;
    if (error && error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
      this.interrupted(run);
    } else if (error instanceof ProgramSyntaxError) {
      const file = language.cell(this.runs);
      writeError(syntaxText(error, file));
      this.fail(run, describeSyntax(error, file));
    } else {
      writeError(uncaughtText(error));
      this.fail(run, describe(error, this.runs === 1));
    }
  }

  // The first error is the run's; what it has started may still end in order.
  fail(run, diagnostic) {
    run.exitCode = 1;
    run.hasValue = false;
    if (run.diagnostic === null) run.diagnostic = diagnostic;
  }

  interrupted(run) {
    if (this.run !== run) return;
    writeError('Interrupted\n');
    run.exitCode = INTERRUPTED;
    this.finish(run, describeInterrupt(), true);
  }

  // The loop is empty.
  settle() {
    const { run } = this;
    if (run === null) return;
    if (!run.settled) {
      writeError('Warning: Detected unsettled top-level await\n');
      this.fail(run, { ...describeExit(13), message: 'top-level await never settled' });
      run.exitCode = 13;
    }
    this.complete(run);
  }

  // The loop is kept alive by what may last forever. This timer does not keep it alive itself.
  poll(run) {
    if (this.run !== run) return;
    run.timer = setTimeout(() => {
      if (this.run !== run) return;
      if (run.settled && pendingWork() <= this.baseline) this.complete(run);
      else this.poll(run);
    }, POLL_MS);
    run.timer.unref();
  }

  complete(run) {
    if (run.hasValue && run.diagnostic === null) {
      try {
        sendMainResult(run.value);
      } catch (error) {
        this.failed(run, error);
      }
    }
    if (run.exitCode === 0 && process.exitCode) run.exitCode = Number(process.exitCode) & 0xff;
    this.finish(run, run.diagnostic || (run.exitCode === 0 ? null : describeExit(run.exitCode)), false);
  }

  finish(run, diagnostic, interrupted) {
    if (this.run !== run) return;
    this.run = null;
    this.file.remove();
    if (run.timer !== null) clearTimeout(run.timer);
    const { id } = run.request;
    channel.send({ event: 'done', id, exit_code: run.exitCode, diagnostic, interrupted });
    setImmediate(() => this.next());
  }

  next() {
    this.baseline = pendingWork();
    const request = channel.receive();
    if (request === null) reallyExit.call(process, 0);
    // Two turns of the loop: a SIGINT that came too late for the last run is dropped in between.
    setImmediate(() => setImmediate(() => this.begin(request)));
  }
}

function compile(code, file) {
  const filename = path.join(HOME, file);
  registerProgram(filename, code);
  const program = rewriteForSession(parseProgram(code, true));
  registerProgram(filename, code, program);
  program.script = compileScript(program, filename);
  return program;
}

// `const crypto = …` must replace Node's own crypto, a getter that ignores assignments.
function makeAssignable(name) {
  const existing = getOwnPropertyDescriptor(globalThis, name);
  if (existing !== undefined && (existing.writable || !existing.configurable)) return;
  const variable = { configurable: true, enumerable: true, writable: true, value: undefined };
  defineProperty(globalThis, name, variable);
}

module.exports = { Session };
