// The process as it was at boot: a program that says `process = null` or `process.on = null` spoils
// its own names, and the kernel goes on.
'use strict';

const EventEmitter = require('node:events');
const process = require('node:process');

const { emit, on, once, listenerCount, listeners, removeListener, removeAllListeners } = EventEmitter.prototype;
const bound = (method) => Function.prototype.call.bind(method, process);

module.exports = {
  process,
  console: globalThis.console,
  env: process.env,
  emit: bound(emit),
  on: bound(on),
  once: bound(once),
  listenerCount: bound(listenerCount),
  listeners: bound(listeners),
  removeListener: bound(removeListener),
  removeAllListeners: bound(removeAllListeners),
};
