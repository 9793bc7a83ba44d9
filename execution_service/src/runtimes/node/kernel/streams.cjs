// stdout and stderr of a session: a run that has ended or destroyed one must not silence the next.
'use strict';

const { writeSync } = require('node:fs');
const { Writable } = require('node:stream');
const { console, process } = require('./process.cjs');

const { defineProperty } = Object;
const NAMES = { stdout: 1, stderr: 2 };

const intact = new Map();

/** Replaces a stream that has been ended or replaced since it was last looked at. */
function repairStreams() {
  for (const name of ['stdout', 'stderr']) {
    if (intact.get(name) === process[name]) continue;
    if (!intact.has(name)) {
      watch(name, process[name]);
      continue;
    }
    const fresh = writerOf(NAMES[name]);
    watch(name, fresh);
    defineProperty(process, name, { configurable: true, enumerable: true, get: () => fresh });
    console[`_${name}`] = fresh; // it remembers the stream it has used first
  }
}

// Node's own stdout says that it is writable again after end(), though its pipe is shut: remember it.
function watch(name, stream) {
  intact.set(name, stream);
  stream.once('finish', () => intact.set(name, null));
}

// Not a net.Socket: the event loop can watch a descriptor for one handle only, and has the old one.
function writerOf(fd) {
  return new Writable({
    write(chunk, _encoding, done) {
      try {
        for (let sent = 0; sent < chunk.length; ) sent += writeSync(fd, chunk, sent);
        done();
      } catch (error) {
        done(error);
      }
    },
  });
}

/** Writes to descriptor 2, whatever has become of `process.stderr`. */
function writeError(text) {
  try {
    writeSync(2, text);
  } catch {
    // closed by the user's code: the diagnostic carries the text as well
  }
}

module.exports = { repairStreams, writeError };
