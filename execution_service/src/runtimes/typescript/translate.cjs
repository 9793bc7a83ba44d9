// TypeScript into JavaScript, by a program of the worker's. A process for each text: the parser goes as deep as the
// text is nested, and where its stack ends, so does its process, and no other.
'use strict';

const { spawnSync } = require('node:child_process');
const { constants } = require('node:os');

const { parse } = JSON;
const TRANSLATOR = process.argv[2];
const LARGEST_ANSWER = 256 * 1024 * 1024;
const TOO_DEEP = { message: 'The program is nested too deeply', line: 1, column: 1 };

/** See node/kernel/language.cjs. */
function translate(code, keepsImports = false) {
  const words = keepsImports ? ['typescript', '--keep-imports'] : ['typescript'];
  const { error, signal, stdout } = spawnSync(TRANSLATOR, words, {
    __proto__: null,
    input: code,
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: LARGEST_ANSWER,
  });
  if (signal === 'SIGSEGV' || signal === 'SIGABRT') return { error: TOO_DEEP };
  if (error || signal !== null || stdout.length === 0) throw failure(error, signal);
  const { program, error: refused } = parse(stdout.toString());
  return refused ? { error: refused } : { ...program, shifts: byLine(program.shifts) };
}

// The sandbox has no room for one more process, or no memory for it: the program's own doing.
function failure(cause, signal) {
  const code = cause ? cause.code : 'ENOMEM';
  const error = new Error(`TypeScript could not be translated: ${cause ? cause.message : signal || 'no answer'}`);
  return Object.assign(error, { code, errno: -(constants.errno[code] || constants.errno.ENOMEM), syscall: 'spawn' });
}

// As `originalColumn` in node/kernel/edits.cjs wants them.
function byLine(list) {
  const shifts = new Map();
  for (const shift of list) {
    if (!shifts.has(shift.line)) shifts.set(shift.line, []);
    shifts.get(shift.line).push(shift);
  }
  return shifts;
}

module.exports = { translate };
