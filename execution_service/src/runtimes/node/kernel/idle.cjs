// When is a session's run over? When its top-level code has settled and its one-shot work is done.
//
// What can go on forever must not keep a run open: intervals, listening servers (with the connections
// they have accepted), watchers. Node names what keeps its loop alive in getActiveResourcesInfo();
// intervals are not told from timeouts there, so they are counted as they are made. What an
// interrupted run has left behind is the next run's baseline.
'use strict';

const { Server } = require('node:net');
const timers = require('node:timers');

const LASTING = new Set([
  'TCPServerWrap', 'PipeServerWrap', 'UDPWrap', 'FSEventWrap', 'StatWatcher', 'SignalWrap', 'HTTP2SESSION',
]);
const { setInterval } = timers;
const activeResources = process.getActiveResourcesInfo.bind(process);
const activeHandles = process._getActiveHandles.bind(process);
const intervals = new Set();
const workers = new Set();
const pipes = () => activeResources().filter((name) => name === 'PipeWrap').length;
// stdout and stderr are listed as well, though they keep nothing alive.
let ownPipes = 0;

/** Counts intervals from here on, through the global function and through node:timers. */
function countIntervals() {
  ownPipes = pipes(); // not at load: the streams are made when they are first looked at
  const counted = function setIntervalCounted(...parameters) {
    const interval = setInterval(...parameters);
    intervals.add(interval);
    return interval;
  };
  Object.defineProperty(counted, 'name', { value: 'setInterval' });
  globalThis.setInterval = counted;
  timers.setInterval = counted;
}

/** Counts workers from here on: Node does not name them. */
function countWorkers() {
  process.on('worker', (worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  });
}

function liveWorkers() {
  let count = 0;
  for (const worker of workers) {
    const handle = worker[Object.getOwnPropertySymbols(worker).find(({ description }) => description === 'kHandle')];
    if (handle && (typeof handle.hasRef !== 'function' || handle.hasRef())) count += 1;
  }
  return count;
}

// Those that a server has accepted; what connects to a server of the same program is work.
function acceptedSockets() {
  return activeHandles().filter((handle) => handle && handle.server instanceof Server).length;
}

function liveIntervals() {
  let count = 0;
  for (const interval of intervals) {
    if (interval._destroyed) intervals.delete(interval);
    else if (interval.hasRef()) count += 1;
  }
  return count;
}

/** How many pieces of one-shot work the loop waits for. */
function pendingWork() {
  const names = activeResources();
  const serves = names.includes('TCPServerWrap') || names.includes('PipeServerWrap');
  let count = liveWorkers() - liveIntervals() - (serves ? acceptedSockets() : 0);
  for (const name of names) {
    if (name !== 'PipeWrap' && !LASTING.has(name)) count += 1;
  }
  return count + Math.max(0, pipes() - ownPipes);
}

module.exports = { countIntervals, countWorkers, pendingWork };
