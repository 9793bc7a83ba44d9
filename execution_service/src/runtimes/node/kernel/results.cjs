// Values as MIME bundles: MIME type → text, base64 for binary, JSON text for structured data.
'use strict';

const EventEmitter = require('node:events');
const { inspect } = require('node:util');
const channel = require('./channel.cjs');
const { anyJson, exactJson } = require('./json.cjs');
const { process } = require('./process.cjs');

const BUNDLE_BYTES = 8 << 20;
const TEXT_CHARACTERS = 1 << 20;
// The convention of Deno's and other notebooks: a method that returns the bundle of its object.
const BUNDLE_METHOD = Symbol.for('Jupyter.display');
const { entries } = Object;
const reflectApply = Reflect.apply;
const { byteLength } = Buffer;

const Timeout = setTimeout(() => {}, 0).unref().constructor;
const Immediate = setImmediate(() => {}).constructor;

let runId = null;

/** From here on results belong to the run `id`. */
function beginResults(id) {
  runId = id;
}

/** Sends the value of a last expression. */
function sendMainResult(value) {
  if (!isReceiver(value)) sendResult(value, true);
}

// `process.on(…)`, `server.listen(…)` and `setTimeout(…)` return what they were called on or a handle:
// pages of internals that nobody asked for.
function isReceiver(value) {
  return value instanceof EventEmitter || value instanceof Timeout || value instanceof Immediate;
}

function sendResult(value, isMain) {
  if (value === undefined) return;
  channel.send({ event: 'result', id: runId, mime: bounded(bundleOf(value)), main: isMain });
}

/** The global `display(...)` of the user's code. */
function display(...values) {
  for (const value of values) sendResult(value, false);
}

function bundleOf(value) {
  const texts = { 'text/plain': inspect(value) };
  if (value === null || typeof value !== 'object') return texts;
  const method = methodOf(value);
  if (typeof method !== 'function') {
    const json = exactJson(value);
    if (json !== undefined) texts['application/json'] = json;
    return texts;
  }
  for (const [mime, data] of bundleBy(method, value)) {
    const text = asText(mime, data);
    if (text !== undefined) texts[mime] = text;
  }
  return texts;
}

function methodOf(value) {
  try {
    return value[BUNDLE_METHOD];
  } catch {
    return undefined; // a proxy that knows the names it has
  }
}

// A method that fails is told of, and costs the run nothing.
function bundleBy(method, value) {
  try {
    return entries(reflectApply(method, value, []) ?? {});
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`);
    return [];
  }
}

function asText(mime, data) {
  if (data instanceof Uint8Array) return Buffer.from(data).toString('base64');
  if (typeof data === 'string' && !/^application\/json$|\+json$/.test(mime)) return data;
  return anyJson(data);
}

function bounded(texts) {
  let plain = texts['text/plain'];
  if (plain.length > TEXT_CHARACTERS) {
    plain = `${plain.slice(0, TEXT_CHARACTERS)}… (${plain.length} characters in all)`;
  }
  const kept = { ...texts, 'text/plain': plain };
  const size = () => entries(kept).reduce((sum, [, text]) => sum + byteLength(text), 0);
  while (size() > BUNDLE_BYTES) {
    const [mime, text] = entries(kept)
      .filter(([name]) => name !== 'text/plain')
      .reduce((largest, entry) => (entry[1].length > largest[1].length ? entry : largest));
    delete kept[mime];
    kept['text/plain'] += `\n(${mime} left out: ${byteLength(text)} bytes are too many for a result)`;
  }
  return kept;
}

module.exports = { beginResults, sendMainResult, display };
