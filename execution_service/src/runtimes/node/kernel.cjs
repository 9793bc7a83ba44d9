// Entry point of the Node kernel; the contract is in ../README.md.
//
// kernel.cjs ── once      one program, then the process ends as `node main.js` would
//            └─ session   runs one after the other in one global scope
//                 both: syntax (parse) → rewrite (positions kept) → stack, diagnostics, results
'use strict';

const { load } = require('./loader.cjs');

const kernel = (name) => load(`./kernel/${name}.cjs`, __dirname);

boot().then(serve);

function boot() {
  // Loaded by then, and nothing that the user's program should find.
  for (const name of Object.keys(require.cache)) delete require.cache[name];
  kernel('session');
  return kernel('boot').boot();
}

function serve() {
  const { runOnce } = kernel('once');
  const { Session } = kernel('session');
  const channel = kernel('channel');
  // A fresh turn of the loop: no promise of ours below the user's code, so that an error of theirs
  // is an uncaught exception and not a rejection.
  setImmediate(() => {
    channel.send({ event: 'ready' });
    const request = channel.receive();
    if (request === null) process.exit(0);
    else if (request.mode === 'once') runOnce(request);
    else new Session().serve(request);
  });
}
