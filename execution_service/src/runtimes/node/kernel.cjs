// Entry point of the Node kernel; the contract is in ../README.md.
//
// kernel.cjs ── once      one program, then the process ends as `node main.js` would
//            └─ session   runs one after the other in one global scope
//                 both: syntax (parse) → rewrite (positions kept) → stack, diagnostics, results
'use strict';

const { printFeatures } = require('./kernel/features.cjs');

if (process.argv[2] === '--features') {
  printFeatures();
} else {
  const { warmUp } = require('./kernel/boot.cjs');
  const channel = require('./kernel/channel.cjs');

  warmUp().then(() => {
    const { runOnce } = require('./kernel/once.cjs');
    const { Session } = require('./kernel/session.cjs');
    channel.send({ event: 'ready' });
    const request = channel.receive();
    if (request === null) process.exit(0);
    // A fresh turn of the loop: no promise of ours below the user's code, so that an error of theirs
    // is an uncaught exception and not a rejection.
    setImmediate(() => {
      if (request.mode === 'once') runOnce(request);
      else new Session().serve(request);
    });
  });
}
