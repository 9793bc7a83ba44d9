// JSON that every parser takes, whatever a program puts into it.
'use strict';

const { parse, stringify } = JSON;
const { entries, fromEntries, getOwnPropertySymbols, getPrototypeOf, is, keys } = Object;
const { isFinite, isSafeInteger } = Number;
const { isArray, from } = Array;
const { isDate, isMap, isNativeError, isRegExp, isSet } = require('node:util').types;

// Deeper than what anybody reads, and far from the end of the stack. A cycle gets here as well.
const DEEPEST = 200;
// An escaped surrogate that is half of nothing: JSON.stringify escapes no others. Strict readers refuse it.
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\u(d[89a-f][0-9a-f]{2})/g;

/** The JSON of a value that it can say all of; undefined for any other. */
function exactJson(value) {
  try {
    return saysAll(value, 0) ? wellFormed(stringify(value)) : undefined;
  } catch {
    return undefined; // a getter that throws, a proxy: the text has it
  }
}

/**
 * The JSON of data that is meant to be JSON: a text of it, or a value. What JSON has no word for is put into others,
 * and NaN is null; undefined for what nothing can be made of.
 */
function anyJson(data) {
  if (typeof data === 'string') return textOfJson(data);
  try {
    return wellFormed(stringify(plain(data, [])));
  } catch {
    return undefined; // a getter that throws, nesting without end
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

// `above`: what this is in.
function plain(value, above) {
  if (typeof value === 'bigint') return isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  if (typeof value !== 'object' || value === null) return value;
  if (isDate(value)) return isFinite(+value) ? value.toISOString() : null;
  if (above.includes(value)) return '[Circular]';
  if (above.length > DEEPEST) throw new RangeError('nested too deeply');
  const inside = [...above, value];
  if (typeof value.toJSON === 'function') return plain(value.toJSON(), inside);
  if (isNativeError(value) || isRegExp(value)) return `${value}`;
  const item = (one) => plain(one, inside);
  if (isArray(value)) return from(value, item);
  if (isSet(value)) return from(value, item);
  if (isMap(value)) {
    const pairs = from(value);
    if (!pairs.every(([key]) => typeof key === 'string')) return pairs.map(item);
    return fromEntries(pairs.map(([key, one]) => [key, item(one)]));
  }
  return fromEntries(entries(value).map(([key, one]) => [key, item(one)]));
}

function textOfJson(text) {
  try {
    parse(text);
    return wellFormed(text);
  } catch {
    return wellFormed(stringify(text));
  }
}

function wellFormed(json) {
  return json === undefined ? undefined : json.replace(LONE_SURROGATE, '$1\ufffd');
}

module.exports = { anyJson, exactJson };
