// A module for require(): its imports are required, its exports are properties. On the same lines.
'use strict';

const { Parser } = require('../node/kernel/acorn.cjs');
const { Edits } = require('../node/kernel/edits.cjs');

const OPTIONS = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true };
const quoted = JSON.stringify;
// The `default` of a module that was none.
const DEFAULT = '((m) => m && m.__esModule ? m : { __proto__: null, ...m, default: m })';

/** Returns `{ code, shifts }` for a translated module. */
function asCommonJs({ code, shifts: before }) {
  const edits = new Edits(code);
  const exported = new Map(); // name → the expression behind it
  const head = [];
  const stars = [];
  const tree = Parser.parse(code, OPTIONS);
  for (const node of tree.body) {
    const required = node.source ? `${DEFAULT}(require(${quoted(node.source.value)}))` : '';
    switch (node.type) {
      case 'ImportDeclaration':
        edits.replace(node.start, node.end, `${bindings(node.specifiers, required)};`);
        break;
      case 'ExportAllDeclaration':
        if (node.exported) exported.set(nameOf(node.exported), required);
        else stars.push(required);
        edits.replace(node.start, node.end, ';');
        break;
      case 'ExportNamedDeclaration':
        for (const { local, exported: name } of node.specifiers) {
          exported.set(nameOf(name), node.source ? `${required}[${quoted(nameOf(local))}]` : nameOf(local));
        }
        if (node.declaration) {
          for (const name of declaredBy(node.declaration)) exported.set(name, name);
          edits.replace(node.start, node.declaration.start, '');
        } else edits.replace(node.start, node.end, ';');
        break;
      case 'ExportDefaultDeclaration':
        if (node.declaration.id) {
          exported.set('default', node.declaration.id.name);
          edits.replace(node.start, node.declaration.start, '');
        } else {
          exported.set('default', '__default__');
          edits.replace(node.start, node.declaration.start, 'const __default__ = ');
          edits.insert(node.declaration.end, ';');
        }
        break;
      default:
    }
  }
  head.push("'use strict';Object.defineProperty(exports, '__esModule', { value: true });");
  for (const [name, expression] of exported) {
    head.push(`Object.defineProperty(exports, ${quoted(name)}, { enumerable: true, get: () => ${expression} });`);
  }
  for (const star of stars) {
    head.push(`for (const [k, v] of Object.entries(${star})) if (k !== 'default' && !(k in exports)) exports[k] = v;`);
  }
  if (edits.source.startsWith('#!')) edits.replace(0, 2, '//');
  edits.list.unshift({ start: 0, end: 0, text: head.join(''), order: -1 });
  const { code: text, shifts } = edits.apply();
  shifts.before = before;
  return { code: text, shifts };
}

function bindings(specifiers, required) {
  if (specifiers.length === 0) return required;
  const whole = specifiers.find(({ type }) => type === 'ImportNamespaceSpecifier');
  const named = specifiers.filter((specifier) => specifier !== whole).map(({ type, imported, local }) => (
    `${type === 'ImportDefaultSpecifier' ? 'default' : quoted(nameOf(imported))}: ${local.name}`));
  const pattern = named.length > 0 ? `{ ${named.join(', ')} }` : null;
  if (!whole) return `const ${pattern} = ${required}`;
  const { name } = whole.local;
  return `const ${name} = ${required}${pattern ? `, ${pattern} = ${name}` : ''}`;
}

function nameOf(node) {
  return node.type === 'Literal' ? node.value : node.name;
}

function declaredBy(node) {
  if (node.id) return [node.id.name];
  return node.declarations.flatMap(({ id }) => boundBy(id));
}

function boundBy(pattern) {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => boundBy(property.value || property.argument));
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? boundBy(element) : []));
    case 'AssignmentPattern':
      return boundBy(pattern.left);
    default:
      return boundBy(pattern.argument);
  }
}

module.exports = { asCommonJs };
