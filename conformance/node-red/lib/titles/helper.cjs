//! In the place of `node-red-node-test-helper`: the same calls, over a probe of Chancery.
'use strict';
const link = require('./link.cjs');
const { NeedsInternals } = require('./needs.cjs');
const { HELPER, nodesOf } = require('./node.cjs');
const { keyOf } = require('./words.cjs');

const LEVELS = { FATAL: 10, ERROR: 20, WARN: 30, INFO: 40, DEBUG: 50, TRACE: 60, METRIC: 99 };
let nodes = new Map();
let lines = [];

link.listen(heard => {
  const node = nodes.get(heard.node.id);
  const value = require('./value.cjs').read;
  if (node?.type === HELPER) return void (heard.told === 'log' && node.emit('input', value(heard.value)));
  if (heard.told === 'status') return call(node, 'status', [value(heard.status)]);
  const level = heard.told === 'fault' ? 'error' : heard.level;
  const said = heard.told === 'fault' ? fault(heard) : keyOf(heard.node.type, value(heard.value));
  const { id, type, name, z } = heard.node;
  lines.push([{ level: LEVELS[level.toUpperCase()], id, type, msg: said, ...(name && { name }), ...(z && { z }) }]);
  return call(node, level === 'info' ? 'log' : level, [said]);
});

// An error that a script threw is logged whole, any other by its text.
function fault({ node, message, code, stack }) {
  return stack ? Object.assign(new Error(message), { stack, ...(code && { code }) }) : keyOf(node.type, message);
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
  async unload() {
    await link.ask({ do: 'unload' });
    nodes = new Map();
    lines = [];
  },
};
helper.clearFlows = helper.unload;
module.exports = helper;

async function deploy(flow, credentials) {
  lines = [];
  nodes = nodesOf(flow);
  await link.ask({
    do: 'load', document: { flows: flow.map(observed), credentials }, environment: { ...process.env },
  });
}

async function finished(work, done) {
  if (!done) return work;
  return work.then(() => setImmediate(done), done);
}

/** A node of the type `helper` becomes one that tells every message whole. */
function observed(node) {
  if (node.type !== HELPER) return node;
  return { ...node, type: 'debug', active: true, console: true, tosidebar: false, complete: 'true', targetType: 'full', wires: [] };
}
