// What a program finds around it: arguments, environment, standard input, SIGINT.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { env, process, on, removeAllListeners } = require('./process.cjs');
const { HOME } = require('./diagnostics.cjs');

const { closeSync, openSync, createReadStream } = fs;
const { assign, defineProperty } = Object;

/** Applies arguments and environment; returns the program's absolute file name. */
function applyRequest(request) {
  const filename = path.join(HOME, request.file);
  process.argv = [process.execPath, filename, ...request.args];
  process.env = env;
  assign(env, request.env);
  return filename;
}

/** Makes `file` (null: nothing to read) descriptor 0. Waits for the writer of a FIFO. */
function openStdin(file) {
  try {
    closeSync(0);
  } catch {
    // closed by the last run: the lowest free number is 0 in any case
  }
  try {
    openSync(file === null ? '/dev/null' : file, 'r'); // the lowest free descriptor: 0
  } catch (error) {
    openSync('/dev/null', 'r');
    throw error;
  }
}

let stdin = null;

/** In a session: a `process.stdin` that starts anew, where Node's own is made once per process. */
function renewStdinStream() {
  if (stdin !== null) stdin.destroy();
  stdin = null;
  defineProperty(process, 'stdin', {
    configurable: true,
    enumerable: true,
    get() {
      if (stdin === null) stdin = createReadStream('', { fd: 0, autoClose: false });
      return stdin;
    },
  });
}

/** Gives SIGINT to `listener` alone: those of earlier runs go. */
function listenForInterrupt(listener) {
  removeAllListeners('SIGINT');
  on('SIGINT', listener);
}

module.exports = { applyRequest, listenForInterrupt, openStdin, renewStdinStream };
