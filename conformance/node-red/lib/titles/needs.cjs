//! What a title needs and no other program can have: the inside of Node-RED's own. Such a title is skipped, with the reason.
'use strict';

/** Thrown where a specification reaches into Node-RED itself. */
class NeedsInternals extends Error {
  constructor(what) {
    super(`needs ${what}`);
    this.code = 'NEEDS_INTERNALS';
  }
}
exports.NeedsInternals = NeedsInternals;

const QUIET = new Set(['then', 'toJSON', 'constructor', 'prototype', 'inspect', 'nodeType']);

/** Stands for a module of Node-RED's: may be handed around, and skips the title that looks inside. */
exports.closed = name => {
  const refuse = (_, member) => {
    if (typeof member === 'symbol' || QUIET.has(member)) return undefined;
    throw new NeedsInternals(`${name}: ${member}`);
  };
  return new Proxy(function closed() {}, {
    get: refuse, set: refuse, defineProperty: refuse, getOwnPropertyDescriptor: refuse,
    apply: () => { throw new NeedsInternals(`${name}, called`); },
    construct: () => { throw new NeedsInternals(`${name}, made`); },
  });
};

/** The same module, for reading only: a title that puts something in its place is skipped. */
exports.readOnly = (name, module) => {
  const refuse = (_, member) => { throw new NeedsInternals(`${name}: ${String(member)} replaced`); };
  return new Proxy(module, {
    get: (target, member) => {
      const found = Reflect.get(target, member);
      const isModule = found !== null && typeof found === 'object' && !Object.isFrozen(found);
      return isModule ? exports.readOnly(`${name}.${String(member)}`, found) : found;
    },
    set: refuse, defineProperty: refuse, deleteProperty: refuse,
  });
};
