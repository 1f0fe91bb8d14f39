//! In the place of `node-red-node-test-helper`: the same calls, over a probe of Chancery.
'use strict';
const link = require('./link.cjs');
const { NeedsInternals } = require('./needs.cjs');
const { HELPER, hear, nodesOf, sameObject } = require('./node.cjs');
const patience = require('./patience.cjs');
const relay = require('./relay.cjs');
const value = require('./value.cjs');
const { keyOf } = require('./words.cjs');

patience.extend();
const LEVELS = { FATAL: 10, ERROR: 20, WARN: 30, INFO: 40, DEBUG: 50, TRACE: 60, METRIC: 99 };
let nodes = new Map();
let lines = [];

link.listen(heard => {
  const id = relay.nodeOf(heard.node.id);
  const node = nodes.get(id);
  if (node?.type === HELPER) return void (heard.told === 'log' && take(node, id, value.read(heard.value)));
  if (heard.told === 'status') return call(node, 'status', [value.read(heard.status)]);
  const level = heard.told === 'fault' ? 'error' : heard.level;
  const said = heard.told === 'fault' ? fault(heard) : keyOf(heard.node.type, value.read(heard.value));
  const { type, name, z } = heard.node;
  lines.push([{ level: LEVELS[level.toUpperCase()], id, type, msg: said, ...(name && { name }), ...(z && { z }) }]);
  return call(node, level === 'info' ? 'log' : level, [said]);
});

function take(node, id, message) {
  const { forward, done } = relay.ends(id, node.wires);
  hear(node, sameObject(message), forward, done);
}

// An error that a script threw is logged whole, any other by its text.
function fault({ node, message, code, stack }) {
  if (!stack) return keyOf(node.type, message);
  const [, name, text] = /^(\w+): ([^]*)$/.exec(message) ?? [null, 'Error', message];
  return Object.assign(new Error(text), { name, stack, ...(code && { code }) });
}

function call(node, method, given) {
  if (!node) return;
  node[method](...given);
  node.emit(`call:${method}`, node[method].lastCall);
}

/** What specifications call: a probe in place of a runtime. */
const helper = {
  init() {},
  settings: () => ({}),
  startServer: async done => done?.(),
  stopServer: async done => done?.(),
  getNode: id => nodes.get(id) ?? null,
  log: () => Object.assign({ args: lines, called: lines.length > 0, callCount: lines.length }, LEVELS),
  url() { throw new NeedsInternals('the admin API'); },
  request() { throw new NeedsInternals('the admin API'); },

  async load(_modules, flow, credentials, done) {
    if (typeof credentials === 'function') [credentials, done] = [{}, credentials];
    await finished(deploy(flow, credentials ?? {}), done);
  },
  async setFlows(flow, type, credentials, done) {
    if (type !== undefined && type !== 'full') throw new NeedsInternals(`a deploy of kind ${type}`);
    if (typeof credentials === 'function') [credentials, done] = [{}, credentials];
    await finished(deploy(flow, credentials ?? {}), done);
  },
  // Specifications do not wait for this before they load the next flow: what was told is forgotten at once.
  async unload() {
    nodes = new Map();
    lines = [];
    await link.ask({ do: 'unload' });
  },
};
helper.clearFlows = helper.unload;
module.exports = helper;

async function deploy(flow, credentials) {
  if (JSON.stringify(flow).includes('memory2')) throw new NeedsInternals('two context stores at once');
  lines = [];
  nodes = nodesOf(flow);
  relay.begin();
  const diagnostics = await link.ask({
    do: 'load', document: { flows: flow.flatMap(observed), credentials }, environment: { ...process.env },
  });
  // What a flow asks for and cannot have keeps a node from being made, there as here.
  for (const { code, node } of diagnostics) if (code === 'missing_module') nodes.delete(node);
}

async function finished(work, done) {
  if (!done) return work;
  return work.then(() => setImmediate(done), error => setImmediate(() => {
    // A callback would go on without its flow; thrown, it ends the title with its reason.
    if (error instanceof NeedsInternals) throw error;
    done(error);
  }));
}

/** A node of the type `helper` becomes one that tells every message whole, behind a relay if it is wired on. */
function observed(node) {
  if (node.type !== HELPER) return [node];
  const teller = { ...node, type: 'debug', active: true, console: true, complete: 'true', targetType: 'full', wires: [] };
  return node.wires?.flat().length ? relay.before(node, teller) : [teller];
}
