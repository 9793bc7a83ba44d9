// The JavaScript parser that Node carries for its own REPL: acorn.
//
// Node gives the text of its built-in modules to everybody, and the modules themselves only to processes
// with --expose-internals, which would open all of them to the user's program. So the text is compiled
// here once more, as a module of the kernel, and nothing of Node's is exposed or shared.
'use strict';

const path = require('node:path');
const vm = require('node:vm');

const ID = 'internal/deps/acorn/acorn/dist/acorn';

function loadAcorn() {
  const text = process.binding('natives')[ID];
  if (typeof text !== 'string') throw new Error(`Node ${process.version} does not carry the parser acorn`);
  // Named as a file of the kernel, so that stack traces leave it out.
  const options = { filename: path.join(__dirname, 'node-acorn.cjs') };
  const module = { exports: {} };
  vm.compileFunction(text, ['exports', 'module'], options)(module.exports, module);
  return module.exports;
}

const { Parser, getLineInfo } = loadAcorn();

module.exports = { Parser, getLineInfo };
