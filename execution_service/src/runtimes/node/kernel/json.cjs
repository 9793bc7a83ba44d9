// JSON that every parser takes, whatever a program puts into it.
'use strict';

const { parse, stringify } = JSON;
const { entries, fromEntries, getOwnPropertySymbols, getPrototypeOf, is, keys } = Object;
const { isFinite, isSafeInteger } = Number;
const { isArray, from } = Array;
const { isDate, isMap, isNativeError, isRegExp, isSet } = require('node:util').types;

// Deeper than what anybody reads, and far from the end of the stack. A cycle gets here as well.
const DEEPEST = 200;
// More than a result has room for. What stands in two places counts twice: doubled often enough, it never ends.
const MOST_VALUES = 1_000_000;
// An escaped surrogate that is half of nothing: JSON.stringify escapes no others. Strict readers refuse it.
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\u(d[89a-f][0-9a-f]{2})/g;

/** The JSON of a value that it can say all of; undefined for any other. */
function exactJson(value) {
  try {
    return saysAll(value, 0, { left: MOST_VALUES }) ? wellFormed(stringify(value)) : undefined;
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
    return wellFormed(stringify(plain(data, 0, { left: MOST_VALUES })));
  } catch {
    return undefined; // a getter that throws, a cycle
  }
}

// Whether JSON has a word for everything in it. A Map or an instance would come out as {}, NaN as null, and a
// function not at all; a cycle would never end.
function saysAll(value, depth, room) {
  room.left -= 1;
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
  if (depth > DEEPEST || room.left < 0 || typeof value.toJSON === 'function') return false;
  if (isArray(value)) {
    return keys(value).length === value.length && value.every((item) => saysAll(item, depth + 1, room));
  }
  const prototype = getPrototypeOf(value);
  if (prototype !== null && getPrototypeOf(prototype) !== null) return false;
  if (getOwnPropertySymbols(value).length > 0) return false;
  return keys(value).every((key) => saysAll(value[key], depth + 1, room));
}

function plain(value, depth, room) {
  if (typeof value === 'bigint') return isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  if (typeof value !== 'object' || value === null) return value;
  if (isDate(value)) return isFinite(+value) ? value.toISOString() : null;
  room.left -= 1;
  if (depth > DEEPEST || room.left < 0) throw new RangeError('too much');
  const item = (one) => plain(one, depth + 1, room);
  if (typeof value.toJSON === 'function') return item(value.toJSON());
  if (isNativeError(value) || isRegExp(value)) return `${value}`;
  if (isArray(value) || isSet(value)) return from(value, item);
  if (!isMap(value)) return fromEntries(entries(value).map(([key, one]) => [key, item(one)]));
  const pairs = from(value);
  if (!pairs.every(([key]) => typeof key === 'string')) return pairs.map(item);
  return fromEntries(pairs.map(([key, one]) => [key, item(one)]));
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
