// What this Node offers, as one line of JSON for the worker's start.
'use strict';

const nodeModule = require('node:module');

/** Whether TypeScript can be run here, by stripping its types (Node 22.13 and later). */
const canStripTypes = typeof nodeModule.stripTypeScriptTypes === 'function';

function printFeatures() {
  process.stdout.write(JSON.stringify({ version: process.versions.node, typescript: canStripTypes }) + '\n');
}

module.exports = { canStripTypes, printFeatures };
