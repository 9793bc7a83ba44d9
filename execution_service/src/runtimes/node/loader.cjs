// Loads the kernel's own files, where there is one with the help of COMPILED: V8's byte code of every
// function that a start and the rehearsal need. Parsing and compiling is a third of a start otherwise.
//
// Not Node's own require(): it compiles anew each time, and shows the user's program what it has loaded.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const COMPILED = path.join(__dirname, 'compiled.bin');
const HEAD = '(function (exports, require, module, __filename, __dirname) { ';

const loaded = new Map(); // absolute path → { module, script }
const compiled = readCompiled();

/** What the file exports; `from` is the folder of the one that asks. */
function load(name, from) {
  if (!name.startsWith('.')) return require(name);
  const filename = path.join(from, name);
  const known = loaded.get(filename);
  if (known !== undefined) return known.module.exports;
  const folder = path.dirname(filename);
  const script = new vm.Script(`${HEAD}${fs.readFileSync(filename, 'utf8')}\n})`, {
    filename,
    columnOffset: -HEAD.length,
    // Ignored when another version of V8 has made it, or for a source of another length.
    cachedData: compiled.get(path.relative(__dirname, filename)),
    // Only scripts.cjs imports, and only for a Node that has no constant for it.
    importModuleDynamically: vm.constants ? undefined : (specifier) => import(specifier),
  });
  const module = { exports: {} };
  loaded.set(filename, { module, script });
  const parameters = [module.exports, (other) => load(other, folder), module, filename, folder];
  Reflect.apply(script.runInThisContext(), module.exports, parameters);
  return module.exports;
}

// COMPILED is a line of JSON, [[name, bytes], …], and then the byte code of each.
function readCompiled() {
  let content;
  try {
    content = fs.readFileSync(COMPILED);
  } catch {
    return new Map(); // none was made, and the sources are there
  }
  let start = content.indexOf('\n') + 1;
  const list = JSON.parse(content.toString('latin1', 0, start));
  return new Map(list.map(([name, length]) => [name, content.subarray(start, (start += length))]));
}

/** Writes COMPILED; what has been called until now is in it. */
function writeCompiled() {
  const parts = [...loaded].map(([filename, { script }]) => [path.relative(__dirname, filename), script.createCachedData()]);
  const head = JSON.stringify(parts.map(([name, data]) => [name, data.length]));
  fs.writeFileSync(COMPILED, Buffer.concat([Buffer.from(`${head}\n`), ...parts.map(([, data]) => data)]));
}

module.exports = { load, writeCompiled };
