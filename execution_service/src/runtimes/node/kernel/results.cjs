// Values as MIME bundles: MIME type → text, base64 for binary, JSON text for structured data.
'use strict';

const EventEmitter = require('node:events');
const { inspect } = require('node:util');
const channel = require('./channel.cjs');

const BUNDLE_BYTES = 8 << 20;
const TEXT_CHARACTERS = 1 << 20;
// The convention of Deno's and other notebooks: a method that returns the bundle of its object.
const BUNDLE_METHOD = Symbol.for('Jupyter.display');
// Deeper than what anybody reads, and far from the end of the stack. A cycle gets here as well.
const DEEPEST = 200;
const { parse, stringify } = JSON;
const { entries, getOwnPropertySymbols, getPrototypeOf, is, keys } = Object;
const { isFinite } = Number;
const { isArray } = Array;
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
  if (typeof value[BUNDLE_METHOD] === 'function') {
    for (const [mime, data] of entries(value[BUNDLE_METHOD]())) {
      const text = asText(mime, data);
      if (text !== undefined) texts[mime] = text;
    }
  } else {
    const json = jsonOf(value);
    if (json !== undefined) texts['application/json'] = json;
  }
  return texts;
}

function jsonOf(value) {
  try {
    return saysAll(value, 0) ? stringify(value) : undefined;
  } catch {
    return undefined; // a getter that throws, a proxy: the text has it
  }
}

// Whether JSON has a word for everything in it. A Map or an instance would come out as {}, NaN as null, and a
// function not at all; a cycle would never end.
function saysAll(value, depth) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isFinite(value) && !is(value, -0);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > DEEPEST || typeof value.toJSON === 'function') return false;
  if (isArray(value)) {
    return keys(value).length === value.length && value.every((item) => saysAll(item, depth + 1));
  }
  const prototype = getPrototypeOf(value);
  if (prototype !== null && getPrototypeOf(prototype) !== null) return false;
  if (getOwnPropertySymbols(value).length > 0) return false;
  return keys(value).every((key) => saysAll(value[key], depth + 1));
}

function asText(mime, data) {
  if (data instanceof Uint8Array) return Buffer.from(data).toString('base64');
  if (typeof data !== 'string') return stringify(data);
  return /^application\/json$|\+json$/.test(mime) ? validJson(data) : data;
}

function validJson(text) {
  try {
    parse(text);
    return text;
  } catch {
    return stringify(text);
  }
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
