// Entry point of the TypeScript kernel: Node's, given programs in JavaScript.
//
// kernel.cjs ── translate    source → JavaScript on the same lines, by a process that ends with it
//            ├─ modules      TypeScript files that are imported or required
//            │  └─ commonjs      a module for require()
//            └─ decorators   what applies them
//
//     node … kernel.cjs TRANSLATOR
'use strict';

const path = require('node:path');
const { load } = require('../node/loader.cjs');

const language = load('./kernel/language.cjs', path.join(__dirname, '..', 'node'));
const { translate } = load('./translate.cjs', __dirname);

Object.assign(language, {
  main: 'main.ts',
  cell: (n) => `cell_${n}.ts`,
  translate,
  // Loaded when it is needed: it needs what needs `language`.
  importModule: (...request) => load('./modules.cjs', __dirname).importModule(...request),
});
Object.defineProperty(globalThis, '__decorators__', {
  configurable: true,
  enumerable: false,
  value: load('./decorators.cjs', __dirname),
});
load('./modules.cjs', __dirname).handleRequire();

require('../node/kernel.cjs');
