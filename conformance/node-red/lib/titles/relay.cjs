//! A node of the type `helper` that is wired on: a function node that tells each message and sends on what the test sends.
'use strict';
const link = require('./link.cjs');
const value = require('./value.cjs');

const TELLER = '--teller';
const POLL_MS = 10;
const messages = new Map();

/** The id in the specification of a node that was put into its flow. */
exports.nodeOf = id => id.endsWith(TELLER) ? id.slice(0, -TELLER.length) : id;

/** Forgets the messages of the last flow. */
exports.begin = () => messages.clear();

/** The relay and the node that tells, in the place of a `helper` node. */
exports.before = (node, teller) => [
  { ...node, type: 'function', outputs: node.wires.length + 1, libs: [], func: body(node.wires.length), wires: [...node.wires, [node.id + TELLER]] },
  { ...teller, id: node.id + TELLER },
];

// The message stays this call's own until the test has said that it is done with it, as it would with a handler in the node.
const body = outputs => `
  const n = (context.get('n') || 0) + 1;
  context.set('n', n);
  node.send([${'null,'.repeat(outputs)} msg]);
  for (let k = 0; ; ) {
    const said = context.get('said.' + n + '_' + k);
    if (!said) await new Promise(resolve => setTimeout(resolve, ${POLL_MS}));
    else if (said.done) return null;
    else { node.send(said.sent, false); k += 1; }
  }`;

/** Where a handler sends on the message that has just come to this node, and says that it is done. */
exports.ends = (id, wires = []) => {
  if (!wires.flat().length) return { forward: () => {}, done: () => {} };
  const n = (messages.get(id) ?? 0) + 1;
  messages.set(id, n);
  let k = 0;
  const say = said => {
    link.askNow({ do: 'set', node: id, reach: 'node', path: ['said', `${n}_${k}`], value: value.write(said) });
    k += 1;
  };
  return { forward: sent => say({ sent }), done: () => say({ done: true }) };
};
