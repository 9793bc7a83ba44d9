// Applies the decorators that the translator has collected. Both kinds: those of TypeScript 5 and ECMAScript, and
// those of `experimentalDecorators`, which were there before.
'use strict';

const { defineProperty, getOwnPropertyDescriptor } = Object;
const open = []; // classes that are being made, innermost last

/** Opens a class; returns the name of a method that will be removed, as all below that stand as a name. */
function begin(mode) {
  const plan = { mode, members: [], parameters: [], names: [], starters: [], statics: [] };
  open.push(plan);
  return placeholder(plan);
}

function placeholder(plan) {
  const name = Symbol('decorators');
  plan.names.push(name);
  return name;
}

function current() {
  return open[open.length - 1];
}

/** Decorators of the member `name`; null if that is told to `key` next. */
function add(kind, name, isStatic, decorators) {
  const plan = current();
  plan.members.push({ kind, name, isStatic, decorators, initializers: [], starters: [] });
  return placeholder(plan);
}

function key(name) {
  const plan = current();
  plan.members[plan.members.length - 1].name = name;
  return name;
}

/** The name of a field, which another name stands in for. */
function named(name) {
  key(name);
  return placeholder(current());
}

function parameter(name, isStatic, index, decorator) {
  const plan = current();
  plan.parameters.push({ name, isStatic, index, decorator });
  return placeholder(plan);
}

/** Closes the class `target`. `assign` gives it to the name that the program has for it. */
function end(target, name, assign) {
  const plan = open.pop();
  for (const symbol of plan.names) {
    delete target.prototype[symbol];
    delete target[symbol];
  }
  if (name !== undefined) {
    defineProperty(target, 'name', { configurable: true, value: name });
    assign(target);
  }
  // Parameters have only the older ones.
  plan.isLegacy = plan.mode === 'Legacy' || plan.parameters.length > 0 || (plan.mode === 'Unknown' && looksLegacy(plan));
  plans.set(target, plan);
  if (plan.isLegacy) applyLegacy(target, plan);
  else applyStandard(target, plan);
  return plan;
}

const plans = new WeakMap(); // class → plan

// The older ones of methods get three arguments.
function looksLegacy({ members }) {
  return members.some(({ kind, decorators }) => kind !== 'field' && decorators.some((decorator) => decorator.length > 2));
}

function applyLegacy(target, { members, parameters }) {
  const pending = [...parameters];
  const ownParameters = (name, isStatic) => pending
    .filter((entry) => entry.name === name && entry.isStatic === isStatic)
    .map((entry) => pending.splice(pending.indexOf(entry), 1)[0])
    .map(({ decorator, index }) => (home, key) => decorator(home, key, index));
  const inOrder = [...members.filter(({ isStatic }) => !isStatic), ...members.filter(({ isStatic }) => isStatic)];
  for (const { kind, name, isStatic, decorators } of inOrder) {
    const home = isStatic ? target : target.prototype;
    const all = [...decorators, ...(kind === 'method' ? ownParameters(name, isStatic) : [])];
    if (kind === 'field') {
      for (const decorator of all.reverse()) decorator(home, name, undefined);
      continue;
    }
    let descriptor = getOwnPropertyDescriptor(home, name);
    for (const decorator of all.reverse()) descriptor = decorator(home, name, descriptor) || descriptor;
    defineProperty(home, name, descriptor);
  }
  for (const { name, isStatic, index, decorator } of pending.filter((entry) => entry.name !== undefined).reverse()) {
    decorator(isStatic ? target : target.prototype, name, index);
  }
}

function applyStandard(target, plan) {
  plan.metadata = {};
  const order = ({ kind, isStatic }) => (kind === 'field' ? 2 : 0) + (isStatic ? 0 : 1);
  for (const member of [...plan.members].sort((a, b) => order(a) - order(b))) {
    const { kind, name, isStatic, decorators } = member;
    const home = isStatic ? target : target.prototype;
    for (const decorator of [...decorators].reverse()) {
      const context = contextOf(kind, name, plan, member.starters);
      Object.assign(context, { static: isStatic, private: false, access: accessTo(kind, name) });
      apply(decorator, kind, home, name, context, member);
    }
    if (kind === 'field' || kind === 'accessor') continue;
    (isStatic ? plan.statics : plan.starters).push(...member.starters);
  }
  for (const start of plan.statics) start.call(target);
}

function apply(decorator, kind, home, name, context, member) {
  const descriptor = getOwnPropertyDescriptor(home, name);
  if (kind === 'field') {
    const initializer = decorator(undefined, context);
    if (initializer !== undefined) member.initializers.unshift(callable(initializer));
  } else if (kind === 'accessor') {
    const { get, set, init } = decorator({ get: descriptor.get, set: descriptor.set }, context) || {};
    defineProperty(home, name, { ...descriptor, get: get || descriptor.get, set: set || descriptor.set });
    if (init !== undefined) member.initializers.unshift(callable(init));
  } else {
    const part = { method: 'value', getter: 'get', setter: 'set' }[kind];
    const replaced = decorator(descriptor[part], context);
    if (replaced !== undefined) defineProperty(home, name, { ...descriptor, [part]: callable(replaced) });
  }
}

function contextOf(kind, name, { metadata }, starters) {
  return { kind, name, metadata, addInitializer: (start) => void starters.push(callable(start)) };
}

function accessTo(kind, name) {
  const access = { has: (object) => name in object };
  if (kind !== 'setter') access.get = (object) => object[name];
  if (kind !== 'getter' && kind !== 'method') {
    access.set = (object, value) => {
      object[name] = value;
    };
  }
  return access;
}

function callable(value) {
  if (typeof value !== 'function') throw new TypeError('A decorator must return a function or undefined');
  return value;
}

/** When an object of the class is made, before its first field. */
function init(object, { starters }) {
  for (const start of starters) start.call(object);
}

/** When a decorated field gets its value: what its private stand-in holds. */
function field(object, { members, isLegacy }, index, has, value) {
  const { kind, name, initializers, starters } = members[index];
  if (typeof value === 'function' && value.name === '') defineProperty(value, 'name', { configurable: true, value: name });
  let result = value;
  if (isLegacy) {
    if (kind === 'field' && has) object[name] = result; // a setter that a decorator has made gets it
    return result;
  }
  for (const initializer of initializers) result = initializer.call(object, result);
  if (kind === 'field') {
    defineProperty(object, name, { configurable: true, enumerable: true, writable: true, value: result });
  }
  for (const start of starters) start.call(object);
  return result;
}

/** Applies the decorators of a class that is made. */
function decorate(name, decorators, target) {
  const plan = plans.get(target);
  let result = target;
  const starters = [];
  const own = plan.parameters.filter((entry) => entry.name === undefined);
  for (const { decorator, index } of own.reverse()) decorator(target, undefined, index);
  for (const decorator of [...decorators].reverse()) {
    const replaced = plan.isLegacy ? decorator(result) : decorator(result, contextOf('class', name, plan, starters));
    if (replaced !== undefined && replaced !== null) result = callable(replaced);
  }
  for (const start of starters) start.call(result);
  return result;
}

module.exports = { add, begin, class: decorate, end, field, init, key, named, parameter };
