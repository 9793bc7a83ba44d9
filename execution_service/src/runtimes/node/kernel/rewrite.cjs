// The user's program, rewritten just enough to be run by the means that Node has. Lines never move.
//
// once     imports become `await import()`, the last expression is returned; the rest stays as it is.
// session  top-level declarations become properties of the global object, so that the next run finds
//          them and may declare them again. The price: a `const` of a session can be assigned to.
'use strict';

const { Edits } = require('./edits.cjs');

/** A CommonJS module's function. Returns `{ code, shifts, isAsync }`; its first line is line 0. */
function rewriteForOnce(program) {
  const edits = new Edits(program.source);
  hideHashbang(edits);
  const bind = (pattern, value) => `const ${pattern}=${value}`;
  for (const node of program.body) rewriteModuleSyntax(edits, node, bind);
  for (const meta of program.metas) edits.replace(meta.start, meta.end, META_NAME);
  const tail = returnLast(edits, program.body);
  const { code, shifts } = edits.apply();
  shifts.before = program.shifts;
  const head = [
    '(function (exports, require, module, __filename, __dirname) {',
    program.isModule ? "'use strict';" : '',
    program.metas.length > 0 ? META : '',
    program.isModule ? DEFINE_NAMED : '',
    program.needsAsync ? 'return (async () => {' : '',
    tail.head,
  ];
  const end = `\n${tail.end}${program.needsAsync ? '})();' : ''}})`;
  return { code: `${head.join('')}\n${code}${end}`, shifts, isAsync: program.needsAsync };
}

/**
 * A global script, its first line being line 0. Returns `{ code, shifts, isAsync, names, hasValue }`;
 * `names` are those it declares.
 */
function rewriteForSession(program) {
  const edits = new Edits(program.source);
  const names = [];
  const isAsync = program.needsAsync;
  hideHashbang(edits);
  for (const node of program.body) {
    const imported = rewriteModuleSyntax(edits, node, (pattern, value) => `void (${pattern}=${value})`,
      program.unused);
    names.push(...imported);
    const declaration = declarationOf(node);
    if (declaration) names.push(...rewriteDeclaration(edits, declaration, isAsync));
  }
  for (const meta of program.metas) edits.replace(meta.start, meta.end, META_NAME);
  const last = program.body[program.body.length - 1];
  const hasValue = last !== undefined && last.type === 'ExpressionStatement';
  const tail = isAsync ? returnLast(edits, program.body) : { head: '', end: '' };
  const { code, shifts } = edits.apply();
  shifts.before = program.shifts;
  const head = isAsync ? `(async () => {${hoistedFunctions(program.body)}${tail.head}` : '';
  return { code: `${head}\n${code}\n${tail.end}${isAsync ? '})();' : ''}`, shifts, isAsync, names, hasValue };
}

// What import.meta becomes: a name of its own, as `require` may be one that the program declares itself.
const META_NAME = '__import_meta__';
const META =
  `const ${META_NAME}={url:require("node:url").pathToFileURL(__filename).href,filename:__filename,dirname:__dirname,` +
  'resolve:((require)=>(name)=>require("node:url").pathToFileURL(require.resolve(name)).href)(require)};';

// What an import of names passes the module through.
const NAMED = '__import_named__';
/** The function behind `NAMED`, for a session's global object. */
function importNamed(module, source, names) {
  for (const name of names) {
    if (!(name in module)) {
      const error = new SyntaxError(
        `The requested module '${source}' does not provide an export named '${name}'`);
      Error.captureStackTrace(error, importNamed);
      throw error;
    }
  }
  return module;
}

const DEFINE_NAMED = `const ${NAMED}=${String(importNamed).replace(/\n\s*/g, '')};`;

function hideHashbang(edits) {
  if (edits.source.startsWith('#!')) edits.replace(0, 2, '//');
}

// The comma: without it V8 places an error of the expression at `return`, which may be another line.
const RETURN = 'return (0,';

// Makes the last expression the function's value. Returns what belongs before and after the code:
// wherever possible its own line stays as it is, because Node prints that line when it fails.
function returnLast(edits, body) {
  const last = body[body.length - 1];
  if (last === undefined || last.type !== 'ExpressionStatement') return { head: '', end: '' };
  // The semicolon would end the parenthesis that is closed only after the last line.
  if (edits.source[last.end - 1] === ';') edits.replace(last.end - 1, last.end, ' ');
  if (body.length === 1) return { head: RETURN, end: ')' };
  const previous = body[body.length - 2];
  const between = edits.source.slice(previous.end, last.start);
  if (between.includes('\n')) edits.insert(previous.end, `;${RETURN}`);
  else edits.insert(last.start, RETURN);
  return { head: '', end: ')' };
}

// Function declarations are local to the async wrapper: they are made global before anything runs.
function hoistedFunctions(body) {
  return body
    .map(declarationOf)
    .filter((node) => node !== null && node.type === 'FunctionDeclaration' && node.id)
    .map(({ id }) => `globalThis.${id.name}=${id.name};`)
    .join('');
}

function declarationOf(node) {
  const inner = /^Export(Named|Default)Declaration$/.test(node.type) ? node.declaration : node;
  return inner && /Declaration$/.test(inner.type) && !/^(Import|Export)/.test(inner.type) ? inner : null;
}

// Returns the names that an import binds.
function rewriteModuleSyntax(edits, node, bind, unused = []) {
  switch (node.type) {
    case 'ImportDeclaration': {
      const { statement, names } = importStatement(node, bind, unused);
      edits.replace(node.start, node.end, statement);
      return names;
    }
    case 'ExportAllDeclaration':
      edits.replace(node.start, node.end, `await import(${node.source.raw});`);
      return [];
    case 'ExportNamedDeclaration':
      if (node.source) edits.replace(node.start, node.end, `await import(${node.source.raw});`);
      else if (node.declaration) edits.replace(node.start, node.declaration.start, '');
      else edits.replace(node.start, node.end, '');
      return [];
    case 'ExportDefaultDeclaration':
      if (node.declaration.id) edits.replace(node.start, node.declaration.start, '');
      else {
        edits.replace(node.start, node.declaration.start, 'void (');
        edits.insert(node.declaration.end, ');');
      }
      return [];
    default:
      return [];
  }
}

// `unused` names may be types, which the module does not have.
function importStatement(node, bind, unused) {
  const attributes = (node.attributes || []) // none in the acorn of older Nodes
    .map(({ key, value }) => `${JSON.stringify(key.name || key.value)}:${value.raw}`);
  const options = attributes.length > 0 ? `,{with:{${attributes.join(',')}}}` : '';
  const call = `await import(${node.source.raw}${options})`;
  const named = [];
  const names = [];
  const wanted = [];
  let namespace = null;
  for (const specifier of node.specifiers) {
    const local = specifier.local.name;
    names.push(local);
    if (specifier.type === 'ImportNamespaceSpecifier') {
      namespace = local;
      continue;
    }
    const isDefault = specifier.type === 'ImportDefaultSpecifier';
    const name = JSON.stringify(isDefault ? 'default' : specifier.imported.name || specifier.imported.value);
    named.push(`${name}:${local}`);
    if (!unused.includes(local)) wanted.push(name);
  }
  const checked = (value) => `${NAMED}(${value},${node.source.raw},[${wanted.join(',')}])`;
  const pattern = `{${named.join(',')}}`;
  let statement = `${call};`;
  if (namespace !== null) {
    statement = `${bind(namespace, call)};`;
    if (named.length > 0) statement += `${bind(pattern, checked(namespace))};`;
  } else if (named.length > 0) statement = `${bind(pattern, checked(call))};`;
  return { statement, names };
}

// Returns the names that the declaration binds in the global scope.
function rewriteDeclaration(edits, node, isAsync) {
  if (node.type === 'FunctionDeclaration') return node.id ? [node.id.name] : [];
  if (node.type === 'ClassDeclaration') {
    if (!node.id) return [];
    edits.insert(node.start, isAsync ? `${node.id.name}=` : `var ${node.id.name}=`);
    edits.insert(node.end, ';');
    return [node.id.name];
  }
  if (node.type !== 'VariableDeclaration') return [];
  const keyword = node.start + node.kind.length;
  const last = node.declarations[node.declarations.length - 1];
  if (isAsync) edits.replace(node.start, keyword, 'void (');
  else if (node.kind !== 'var') edits.replace(node.start, keyword, 'var'.padEnd(node.kind.length));
  const names = [];
  for (const { id, init, start, end } of node.declarations) {
    boundNames(id, names);
    if (isAsync) edits.insert(start, '(');
    // `let x;` in a later run means a fresh x; `var x;` keeps the value.
    if (!init && node.kind !== 'var') edits.insert(end, '=void 0');
    if (isAsync) edits.insert(end, ')');
  }
  // The semicolon: the next line may begin with a bracket, which the original text kept apart.
  edits.insert(last.end, isAsync ? ');' : ';');
  return names;
}

function boundNames(pattern, names) {
  switch (pattern.type) {
    case 'Identifier':
      names.push(pattern.name);
      break;
    case 'ObjectPattern':
      for (const property of pattern.properties) boundNames(property.value || property.argument, names);
      break;
    case 'ArrayPattern':
      for (const element of pattern.elements) if (element) boundNames(element, names);
      break;
    case 'AssignmentPattern':
      boundNames(pattern.left, names);
      break;
    case 'RestElement':
      boundNames(pattern.argument, names);
      break;
    default:
      throw new TypeError(`no binding pattern: ${pattern.type}`);
  }
}

module.exports = { META_NAME, NAMED, importNamed, rewriteForOnce, rewriteForSession };
