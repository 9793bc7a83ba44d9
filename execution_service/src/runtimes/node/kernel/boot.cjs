// What is done once per process while it is still idle, so that the first run finds it warm.
'use strict';

const fs = require('node:fs');
const vm = require('node:vm');
const { warmUp } = require('./warmup.cjs');
const { installStackFilter } = require('./stack.cjs');
const { importOption } = require('./scripts.cjs');

// When memory runs out, the user's programs go first, and not the init of the sandbox.
function preferForOomKill() {
  try {
    fs.writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // A sandbox without /proc: the largest goes first.
  }
}

async function boot() {
  preferForOomKill();
  // Our options are none of the processes that the user's program forks.
  process.execArgv.length = 0;
  installStackFilter();
  for (const stream of [process.stdout, process.stderr]) {
    // A pipe of Node's is non-blocking: process.exit() would lose what a full pipe did not take, and
    // the user's child processes share the mode and would fail with EAGAIN.
    if (stream._handle && typeof stream._handle.setBlocking === 'function') stream._handle.setBlocking(true);
  }

  // The first import() loads the module loader and prints an ExperimentalWarning about the option that
  // makes it work inside vm scripts. Here is the place to have both, without the warning's text.
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  const options = { filename: __filename, importModuleDynamically: importOption };
  await new vm.Script("import('node:fs')", options).runInThisContext();
  new vm.SourceTextModule(''); // which syntax.cjs uses: its warning as well
  await new Promise((resolve) => setImmediate(resolve));
  for (const listener of listeners) process.on('warning', listener);
  warmUp();
}

module.exports = { boot };
