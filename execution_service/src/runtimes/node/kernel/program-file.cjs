// The file that a program says it is, for as long as it runs: what workers, forks and clusters are started
// from, and what `__filename` is read for. A program that never mentions any of it is not written down.
'use strict';

const { closeSync, fstatSync, lstatSync, openSync, unlinkSync, writeFileSync } = require('node:fs');

const USERS_OF_THE_FILE = /__filename|\bargv\b|require\.main|\bmainModule\b|import\.meta|\bcluster\b|\bmain\.[jt]s\b|\bfork\(/;

/** `path` as long as a program runs. A file that is there already is the user's, and stays as it is. */
class ProgramFile {
  constructor(path) {
    this.path = path;
    this.written = null;
  }

  /** Writes `code` if it seems to ask for its file. */
  write(code) {
    if (!USERS_OF_THE_FILE.test(code)) return;
    let fd;
    try {
      fd = openSync(this.path, 'wx', 0o644);
    } catch {
      return; // a file of the user's, or no room: then it is not there, as all the rest
    }
    try {
      writeFileSync(fd, code);
    } catch {
      // the same, half way
    }
    this.written = identity(fstatSync(fd, { bigint: true }));
    closeSync(fd);
  }

  /** Removes what `write` has made, unless the program has written to it since. */
  remove() {
    if (this.written === null) return;
    try {
      if (identity(lstatSync(this.path, { bigint: true })) === this.written) unlinkSync(this.path);
    } catch {
      // the program has removed it, or may not any more
    }
    this.written = null;
  }
}

function identity({ dev, ino, size, mtimeNs }) {
  return [dev, ino, size, mtimeNs].join();
}

module.exports = { ProgramFile };
