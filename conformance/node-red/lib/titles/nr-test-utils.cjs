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

/** Settings may be put back to what they are without being set; another value is Node-RED's own affair. */
const settings = new Proxy({}, {
  set(_, name, held) {
    if (held) throw new NeedsInternals(`the setting ${String(name)}`);
    return true;
  },
});

/** A module of Node-RED's by its name there. */
exports.require = given => {
  const name = given.replace(/\/$/, '');
  if (name === '@node-red/runtime/lib/nodes/context') return context;
  if (name === 'node-red/lib/red') return { settings };
  if (/^@node-red\/util(\/|$)/.test(name)) return readOnly(name, require(name));
  return closed(name);
};

exports.resolve = name => require.resolve(name);
