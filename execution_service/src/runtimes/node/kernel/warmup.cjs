// A program that runs before anybody's: V8 compiles a function when it is first called, and Node loads
// parts of itself when they are first used. Two thirds of a first run's time is that, and is spent here.
//
// Nothing of it stays: no output, no listener, no global, no module.
'use strict';

const path = require('node:path');
const { process } = require('./process.cjs');
const { HOME } = require('./diagnostics.cjs');
const language = require('./language.cjs');
const { callProgram, moduleOf } = require('./once.cjs');
const { rewriteForOnce, rewriteForSession } = require('./rewrite.cjs');
const { compileScript, runBreakable } = require('./scripts.cjs');
const { registerProgram, forgetProgram } = require('./stack.cjs');
const { parseJavaScript } = require('./syntax.cjs');

// What programs of a few lines are made of.
const PROGRAM = `
const fs = require('fs'), { join } = require('node:path');
class Point { #z = 0; constructor(x, y = 2) { this.x = x; this.y = y; } get sum() { return this.x + this.y + this.#z; } static of(x) { return new Point(x); } }
function* count(n) { for (let i = 0; i < n; i++) yield i; }
const add = (a, ...rest) => rest.reduce((sum, value) => sum + value, a);
async function later(v) { await null; return v ?? 1; }
let found = null;
try { found = JSON.parse('{"a":[1,2.5,"x",null,true]}'); } catch { found = undefined; } finally { found.b = 1; }
for (const [key, value] of Object.entries({ ...found, c: [...count(3)] })) if (/[a-c]/.test(key) && value !== 0) found[key] = value;
switch (typeof found) { case 'object': break; default: throw new Error('none'); }
while (false) { do { continue; } while (true); }
console.log('text', 1, true, null, undefined, [1, 'a'], { k: 'v' }, Point.of(1).sum);
console.log(\`\${add(1, 2, 3)} \${join('a', 'b')} \${later?.name}\`);
console.error('%s', found.a?.[1] ?? -1);
new Point(1).sum > 2 ? found : !found;
`;
const MODULE = 'import a, { b as c } from "d"; import * as e from "e"; export const f = await a; for await (const g of c) e; f';

function warmUp() {
  const parsed = [MODULE, PROGRAM].map(parseJavaScript);
  if (language.translate !== null) language.translate('');
  parsed.forEach(rewriteForSession);
  const [, program] = parsed.map(rewriteForOnce);
  const filename = path.join(HOME, 'main.js');
  registerProgram(filename, PROGRAM, program);
  const script = compileScript(program, filename);
  silently(() => runBreakable(() => callProgram(script, moduleOf(filename))));
  forgetProgram(filename);
}

// The streams take nothing, and nothing again, which is as far as they can be tried without a trace.
function silently(step) {
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) {
    stream.write('');
    stream.write = () => true;
  }
  try {
    step();
  } finally {
    for (const stream of streams) delete stream.write;
  }
}

module.exports = { warmUp };
