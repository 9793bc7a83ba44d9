// TypeScript files that a program imports or requires.
//
// Imported, they are modules of node:vm: real ones, with cycles, live bindings and top-level await, on any Node.
// All others are Node's business, as they would be without us.
'use strict';

const { readFileSync, statSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { translate } = require('./translate.cjs');
const { asCommonJs } = require('./commonjs.cjs');
const { registerProgram } = require('../node/kernel/stack.cjs');

const { createRequire } = Module;
const TYPED = /\.[cm]?ts$/;
const ENDINGS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];
const opened = new Map(); // file → { module, signature, needs: files }

/** What import() gives to the code in the file `from`. */
async function importModule(specifier, from, attributes) {
  const file = locate(specifier, from);
  if (file === null || !isOurs(file)) return importByNode(file === null ? specifier : urlOf(file), from, attributes);
  forgetRewritten();
  const module = open(file);
  await link(module);
  await module.evaluate({ breakOnSigint: true });
  return module.namespace;
}

// A path without its ending, and one that ends as the compiler's output would, mean the TypeScript file.
function locate(specifier, from) {
  let file;
  if (specifier.startsWith('file:')) file = fileURLToPath(specifier);
  else if (/^(\.{1,2}$|\.{0,2}\/)/.test(specifier)) file = path.resolve(path.dirname(from), specifier);
  else return null;
  const output = /^(.*)\.([cm]?)jsx?$/.exec(file);
  const candidates = [file, ...(output ? [`${output[1]}.${output[2]}ts`] : []), ...ENDINGS.map((end) => file + end)];
  return candidates.find(isFile) || null;
}

function isFile(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && found.isFile();
}

// Node asks for attributes where JSON is imported, and TypeScript does not.
function isOurs(file) {
  return TYPED.test(file) || file.endsWith('.json');
}

function urlOf(file) {
  return pathToFileURL(file).href;
}

// What Node's own loader gives to a file in this place.
function importByNode(specifier, from, attributes) {
  const options = { filename: from, importModuleDynamically: nodesOwn(from) };
  const call = new vm.Script('(specifier, options) => import(specifier, options)', options).runInThisContext();
  return call(specifier, attributes && Object.keys(attributes).length > 0 ? { with: attributes } : undefined);
}

// Node 18 and 20 have no constant for it, and resolve relative to this file.
function nodesOwn(from) {
  const constant = vm.constants && vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  if (constant) return constant;
  return (specifier) => {
    if (/^(node|file|data):/.test(specifier)) return import(specifier);
    const found = createRequire(from).resolve(specifier);
    return import(path.isAbsolute(found) ? urlOf(found) : found);
  };
}

function open(file) {
  const known = opened.get(file);
  if (known !== undefined) return known.module;
  const signature = signatureOf(file);
  const module = file.endsWith('.json') ? jsonModule(file) : typedModule(file);
  opened.set(file, { module, signature, needs: new Set() });
  return module;
}

function jsonModule(file) {
  const value = JSON.parse(readFileSync(file, 'utf8'));
  return synthetic({ default: value }, file);
}

function typedModule(file) {
  const { source, code, shifts, module: isModule } = read(file);
  if (/^\s*export\s*=/m.test(source) || (!isModule && /\b(module|exports|require)\b/.test(code))) {
    const exported = createRequire(file)(file);
    return synthetic({ ...exported, default: exported }, file);
  }
  const identifier = urlOf(file);
  // As V8 knows it, and as diagnostics do.
  for (const name of [identifier, file]) registerProgram(name, source, { code: `\n${code}`, shifts });
  return new vm.SourceTextModule(code, {
    identifier,
    initializeImportMeta(meta) {
      const require = createRequire(file);
      Object.assign(meta, { dirname: path.dirname(file), filename: file, url: identifier });
      meta.resolve = (specifier) => urlOf(locate(specifier, file) || require.resolve(specifier));
    },
    importModuleDynamically: (specifier, _, attributes) => importModule(specifier, file, attributes),
  });
}

function synthetic(values, name) {
  const names = Object.keys(values);
  return new vm.SyntheticModule(names, function () {
    for (const name of names) this.setExport(name, values[name]);
  }, { identifier: name });
}

// One after the other: two that share a module must not both link it.
let linking = Promise.resolve();
function link(module) {
  const linked = linking.then(() => (module.status === 'unlinked' ? module.link(resolved) : undefined));
  linking = linked.catch(() => {
    for (const [file, { module: { status } }] of opened) {
      if (status === 'unlinked' || status === 'linking' || status === 'errored') opened.delete(file);
    }
  });
  return linked;
}

async function resolved(specifier, { identifier }, { attributes } = {}) {
  const from = fileURLToPath(identifier);
  const file = locate(specifier, from);
  if (file !== null && isOurs(file)) {
    opened.get(from)?.needs.add(file);
    return open(file);
  }
  return synthetic(await importByNode(file === null ? specifier : urlOf(file), from, attributes), specifier);
}

/** A file that was rewritten since it was read is read anew, and so is what has imported it. */
function forgetRewritten() {
  let stale = [...opened].filter(([file, { signature }]) => signatureOf(file) !== signature).map(([file]) => file);
  while (stale.length > 0) {
    for (const file of stale) opened.delete(file);
    stale = [...opened].filter(([, { needs }]) => stale.some((file) => needs.has(file))).map(([file]) => file);
  }
}

function signatureOf(file) {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : [found.ino, found.size, found.mtimeNs].join();
}

function read(file) {
  const source = readFileSync(file, 'utf8');
  const translated = translate(source);
  if (!translated.error) return { source, ...translated };
  const { message, line, column } = translated.error;
  registerProgram(file, source);
  const error = new SyntaxError(message);
  error.stack = `SyntaxError: ${message}\n    at ${file}:${line}:${column}`;
  throw error;
}

/** Has require() take TypeScript files, also without their ending. */
function handleRequire() {
  for (const ending of ['.ts', '.cts', '.mts']) {
    Module._extensions[ending] = (module, filename) => {
      const { source, module: isModule, ...translated } = read(filename);
      const { code, shifts } = isModule ? asCommonJs(translated) : translated;
      registerProgram(filename, source, { code: `\n${code}`, shifts });
      module._compile(code, filename);
    };
  }
}

module.exports = { handleRequire, importModule };
