// Modules of the workspace between the runs of a session: one that was rewritten is required anew.
'use strict';

const { statSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { HOME } = require('./diagnostics.cjs');

const INSIDE = HOME + path.sep;
const loaded = new Map(); // file → what it was when it was read

/** Notes what each module of the workspace is read from, from here on. */
function noteSources() {
  const { load } = Module.prototype;
  Module.prototype.load = function (filename) {
    if (filename.startsWith(INSIDE)) loaded.set(filename, signature(filename));
    return load.call(this, filename);
  };
}

/**
 * Before a run: require() of a file that is another one now reads it. What holds on to the old one keeps it, and
 * a module whose file stands as it was keeps its state.
 */
function forgetRewritten(code) {
  if (loaded.size === 0 || !/\b(require|import)\b/.test(code)) return;
  for (const [filename, before] of loaded) {
    const now = signature(filename);
    if (now === null || now === before) continue;
    loaded.delete(filename);
    delete Module._cache[filename];
  }
}

function signature(filename) {
  const found = statSync(filename, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : [found.ino, found.size, found.mtimeNs].join();
}

module.exports = { forgetRewritten, noteSources };
