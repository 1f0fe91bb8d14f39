//! Runs one specification file with its support modules replaced, and writes a line of JSON for each title.
'use strict';
const Module = require('node:module');
const path = require('node:path');
const { Mocha } = require('mocha');

const REPLACED = {
  'node-red-node-test-helper': path.join(__dirname, 'helper.cjs'),
  'nr-test-utils': path.join(__dirname, 'nr-test-utils.cjs'),
};

// What else a specification asks for is looked for beside it first, then here.
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (Object.hasOwn(REPLACED, request)) return REPLACED[request];
  try {
    return resolve.call(this, request, ...rest);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND' || /^[./]/.test(request)) throw error;
    return require.resolve(request, { paths: [__dirname] });
  }
};

const mocha = new Mocha({ ui: 'bdd', reporter: class {}, timeout: 2000, color: false });
mocha.addFile(path.resolve(process.argv[2]));
try {
  mocha.loadFiles();
} catch (error) {
  tell({ outcome: 'unread', why: error.message.split('\n')[0] });
  process.exit(0);
}
// A title that goes on behind a promise nobody waits for still ends by what is thrown there.
process.on('unhandledRejection', reason => { throw reason; });
const runner = mocha.run(() => process.exit(0));
runner.on('pass', test => tell({ title: test.fullTitle(), outcome: 'passed' }));
runner.on('pending', test => tell({ title: test.fullTitle(), outcome: 'skipped', why: 'skipped by its author' }));
const ended = new Set();
runner.on('fail', (test, error) => {
  // What goes wrong after a title has failed belongs to it still.
  if (ended.has(test)) return;
  ended.add(test);
  const why = error?.message ?? String(error);
  tell({ title: test.fullTitle(), outcome: error?.code === 'NEEDS_INTERNALS' ? 'skipped' : 'failed', why });
});

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
