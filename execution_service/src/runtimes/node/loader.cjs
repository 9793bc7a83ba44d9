// Loads the kernel's own files. Not Node's own require(), which shows the user's program what it has loaded.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const HEAD = '(function (exports, require, module, __filename, __dirname) { ';

const loaded = new Map(); // absolute path → module

/** What the file exports; `from` is the folder of the one that asks. */
function load(name, from) {
  if (!name.startsWith('.')) return require(name);
  const filename = path.join(from, name);
  const known = loaded.get(filename);
  if (known !== undefined) return known.exports;
  const folder = path.dirname(filename);
  const script = new vm.Script(`${HEAD}${fs.readFileSync(filename, 'utf8')}\n})`, {
    filename,
    columnOffset: -HEAD.length,
    // Only scripts.cjs imports, and only for a Node that has no constant for it.
    importModuleDynamically: vm.constants ? undefined : (specifier) => import(specifier),
  });
  const module = { exports: {} };
  loaded.set(filename, module);
  const parameters = [module.exports, (other) => load(other, folder), module, filename, folder];
  Reflect.apply(script.runInThisContext(), module.exports, parameters);
  return module.exports;
}

module.exports = { load };
