// process.exit() in a session: the program ends there and then, and its process goes on.
//
// Top-level code is broken as by SIGINT, which no catch and no finally sees. What runs in a callback cannot be
// broken: an error unwinds it, and whatever still runs then is not heard any more.
'use strict';

const timers = require('node:timers');
const { promisify } = require('node:util');
const { process, emit, removeAllListeners } = require('./process.cjs');

const { defineProperty, getOwnPropertyDescriptor } = Object;
const { kill, pid } = process;
const setCapture = process.setUncaughtExceptionCaptureCallback.bind(process);
const hasCapture = process.hasUncaughtExceptionCaptureCallback.bind(process);

/** Unwinds what runs in a callback. */
class ExitRequest extends Error {}

let run = null; // whose timers are being made
const STREAMS = ['stdout', 'stderr'];
let muted = [];

/** From here on timers belong to `current`, and what an ended run had silenced is heard again. */
function beginRun(current) {
  run = current;
  for (const [stream, name] of muted) if (getOwnPropertyDescriptor(stream, 'write')) delete stream[name];
  if (muted.length > 0) setCapture(null);
  muted = [];
}

/** Timers of a run that has called exit() do not go off. */
function watchTimers() {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    const make = globalThis[name];
    const watched = function (callback, ...rest) {
      if (typeof callback !== 'function') return make(callback, ...rest);
      const owner = run;
      return make(function (...parameters) {
        return owner !== null && owner.exited ? undefined : callback.apply(this, parameters);
      }, ...rest);
    };
    defineProperty(watched, 'name', { value: name });
    const custom = make[promisify.custom];
    if (custom !== undefined) defineProperty(watched, promisify.custom, { enumerable: true, value: custom });
    globalThis[name] = watched;
    timers[name] = watched;
  }
}

/** Runs the exit listeners of a program that ends with `code`; returns the status after them. */
function runExitListeners(code) {
  process.exitCode = code;
  try {
    emit('exit', code);
  } finally {
    removeAllListeners('exit');
  }
  return Number(process.exitCode ?? code) & 0xff;
}

/**
 * Does not return: the code that called exit() goes no further. In a listener for uncaught errors it does, as an
 * error there would end the process; what the listener still does is not heard.
 */
function stop(isBreakable, inListeners) {
  if (isBreakable) {
    kill.call(process, pid, 'SIGINT');
    for (;;); // until V8 is told, which another thread does
  }
  if (!hasCapture()) setCapture(() => {});
  for (const name of STREAMS) {
    const stream = process[name];
    stream.write = () => true;
    muted.push([stream, 'write']);
  }
  if (!inListeners) throw new ExitRequest();
}

module.exports = { ExitRequest, beginRun, runExitListeners, stop, watchTimers };
