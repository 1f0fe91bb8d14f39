//! In the place of Node-RED's `nr-test-utils`: its modules, as far as a test of another program can have them.
'use strict';
const { NeedsInternals, closed, readOnly } = require('./needs.cjs');

/** The stores of contexts are the probe's own; only those in memory are there. */
const context = {
  init({ contextStorage = {} } = {}) {
    for (const { module } of Object.values(contextStorage)) {
      if (module !== undefined && module !== 'memory') throw new NeedsInternals(`a context store of kind ${module}`);
    }
  },
  load: async () => {},
  clean: async () => {},
  close: async () => {},
};

/** A module of Node-RED's by its name there. */
exports.require = name => {
  if (name === '@node-red/runtime/lib/nodes/context') return context;
  if (/^@node-red\/util(\/|$)/.test(name)) return readOnly(name, require(name));
  return closed(name);
};

exports.resolve = name => require.resolve(name);
