//! A node as a specification holds it: its own properties, messages in, and what it tells.
'use strict';
const { EventEmitter } = require('node:events');
const { randomBytes } = require('node:crypto');
const { isDeepStrictEqual } = require('node:util');
const sinon = require('sinon');
const { util } = require('@node-red/util');
const link = require('./link.cjs');
const { NeedsInternals } = require('./needs.cjs');
const value = require('./value.cjs');

const TOLD = ['log', 'status', 'warn', 'error', 'debug', 'trace'];

/** Nodes of this type stand only in specifications: they take messages and do nothing. */
exports.HELPER = 'helper';

// Messages on their way, by id: over one wire Node-RED hands on the very object, and specifications hold it to that.
const underWay = new Map();
const stores = new Set();

/** Makes the nodes of a flow by id; nodes of the type `helper` hear what reaches them. */
exports.nodesOf = flow => {
  const nodes = new Map();
  underWay.clear();
  stores.clear();
  for (const config of flow) nodes.set(config.id, makeNode(config, nodes));
  return nodes;
};

function makeNode(config, nodes) {
  const isHelper = config.type === exports.HELPER;
  const node = new EventEmitter();
  const { credentials, ...properties } = config;
  Object.assign(node, properties, credentials && { credentials });
  for (const name of TOLD) define(node, name, sinon.spy());
  define(node, 'receive', (message = {}) => {
    message._msgid ??= randomBytes(8).toString('hex');
    if (isHelper) setImmediate(() => hear(node, message, sent => send(config, sent, nodes)));
    else {
      underWay.set(message._msgid, message);
      void link.ask({ do: 'receive', node: config.id, message: value.write(message) });
    }
  });
  define(node, 'send', sent => send(config, sent, nodes));
  define(node, 'close', () => { throw new NeedsInternals('one node closed alone'); });
  define(node, 'context', () => contextOf(config));
  define(node, 'emit', (event, ...given) => {
    if (event === 'input' && !isHelper) return node.receive(given[0]);
    return EventEmitter.prototype.emit.call(node, event, ...given);
  });
  define(node, 'on', (event, heard) => {
    if (event === 'input' && !isHelper) throw new NeedsInternals(`what a node of type ${config.type} receives`);
    return EventEmitter.prototype.on.call(node, event, heard);
  });
  return isHelper ? node : guarded(node, config.type);
}

/** Lets a node of the type `helper` hear a message; what it sends on goes out through `forward`. */
function hear(node, message, forward, done = () => {}) {
  EventEmitter.prototype.emit.call(node, 'input', message, forward, done);
}
exports.hear = hear;

// A property that the flow does not give is Node-RED's own affair.
function guarded(node, type) {
  const check = member => {
    if (typeof member === 'string' && !(member in node)) throw new NeedsInternals(`the property ${member} of a ${type} node`);
  };
  return new Proxy(node, {
    has: (target, member) => { check(member); return Reflect.has(target, member); },
    getOwnPropertyDescriptor: (target, member) => { check(member); return Reflect.getOwnPropertyDescriptor(target, member); },
  });
}

/** The message that came, or the very object that was sent, if it is still as it was. */
exports.sameObject = message => {
  const sent = underWay.get(message._msgid);
  if (!sent || !isDeepStrictEqual(sent, message)) return message;
  underWay.delete(message._msgid);
  return sent;
};

function define(node, name, member) {
  Object.defineProperty(node, name, { value: member, writable: true, configurable: true });
}

function send({ wires = [] }, sent, nodes) {
  const outputs = Array.isArray(sent) ? sent : [sent];
  outputs.forEach((messages, at) => {
    for (const message of [messages].flat().filter(Boolean)) {
      for (const id of wires[at] ?? []) nodes.get(id)?.receive(util.cloneMessage(message));
    }
  });
}

function contextOf({ id }) {
  const of = reach => ({
    get: (key, ...rest) => answered(rest, () => Array.isArray(key) ? key.map(get(reach)) : get(reach)(key)),
    set: (key, values, ...rest) => answered(rest, () => {
      const keys = [key].flat();
      keys.forEach((name, at) => set(reach, name, Array.isArray(key) ? [values].flat()[at] : values));
    }),
    keys: (...rest) => answered(rest, () => link.askNow({ do: 'keys', node: id, reach })),
  });
  const get = reach => key => link.askNow({ do: 'get', node: id, reach, path: path(key) });
  const set = (reach, key, held) => link.askNow({ do: 'set', node: id, reach, path: path(key), value: value.write(held) });
  return { ...of('node'), flow: of('section'), global: of('document') };
}

const path = key => util.normalisePropertyExpression(key);

/** The value, or what a callback is given; a store may be named before it, and there is only one. */
function answered(rest, work) {
  for (const store of rest.filter(one => typeof one === 'string')) stores.add(store);
  if (stores.size > 1) throw new NeedsInternals('two context stores at once');
  const callback = rest.find(one => typeof one === 'function');
  if (!callback) return work();
  const outcome = work();
  setImmediate(() => callback(null, outcome));
  return undefined;
}
