// The control channel: one JSON object per line. The worker's requests come on descriptor 3, our messages
// go out on 4.
//
// Reads and writes block. The worker sends nothing during a run, so the event loop holds no handle of
// ours, and it is empty exactly when the user's work is done. Node has made both descriptors close-on-exec.
'use strict';

const { readSync, writeSync } = require('node:fs');
const { stringify, parse } = JSON;
const { from, concat, alloc } = Buffer;

const REQUESTS_FD = 3;
const MESSAGES_FD = 4;
const NEWLINE = 10;
const chunk = alloc(1 << 16);
let received = alloc(0);

/**
 * Sends one message; returns when all of it is in the socket. Nothing is said when the user's code has
 * closed our descriptor: its own run goes on, and the worker sees that nothing comes.
 */
function send(message) {
  // toWellFormed (Node 20) would do, but 18 has none: Buffer replaces lone surrogates just the same,
  // as long as JSON.stringify has not escaped them. It escapes them as \udXXX, hence the pattern.
  const line = from(stringify(message).replace(/(?<!\\)((?:\\\\)*)\\u(d[89a-f][0-9a-f]{2})/g, '$1\ufffd') + '\n');
  try {
    for (let sent = 0; sent < line.length; ) sent += writeSync(MESSAGES_FD, line, sent);
  } catch {
    // see above
  }
}

/** Waits for the next message; null when the worker has hung up, or the user's code for it. */
function receive() {
  for (;;) {
    const end = received.indexOf(NEWLINE);
    if (end >= 0) {
      const line = received.toString('utf8', 0, end);
      received = received.subarray(end + 1);
      return parse(line);
    }
    const count = readOrEnd();
    if (count === 0) return null;
    received = concat([received, chunk.subarray(0, count)]);
  }
}

function readOrEnd() {
  try {
    return readSync(REQUESTS_FD, chunk);
  } catch {
    return 0;
  }
}

module.exports = { send, receive };
