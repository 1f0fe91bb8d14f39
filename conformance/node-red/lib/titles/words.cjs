//! Node-RED's own test helper shows messages by their keys in its catalogue; this finds the key of an English text.
'use strict';
const catalogue = require('@node-red/nodes/locales/en-US/messages.json');

const entries = [...leaves(catalogue, [])].sort(([, a], [, b]) => b.length - a.length);
const patterns = entries.map(([key, text]) => [key, new RegExp(`^${text.split(/__\w+__/).map(escaped).join('[^]*')}$`)]);

/** The key of the first entry that a text is made from, among those of one node type; else the text. */
exports.keyOf = (type, text) => {
  const found = typeof text === 'string' && patterns.find(([key, pattern]) => key.startsWith(`${type}.`) && pattern.test(text));
  return found ? found[0] : text;
};

function* leaves(object, path) {
  for (const [name, member] of Object.entries(object)) {
    if (typeof member === 'string') yield [[...path, name].join('.'), member];
    else yield* leaves(member, [...path, name]);
  }
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
