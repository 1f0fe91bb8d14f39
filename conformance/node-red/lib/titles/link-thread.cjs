//! The thread that holds the probe's process: lines go in and out, and each that comes raises the signal.
'use strict';
const { spawn } = require('node:child_process');
const readline = require('node:readline');
const { workerData: { port, signal, binary } } = require('node:worker_threads');

const child = spawn(binary, ['probe'], { stdio: ['pipe', 'pipe', 'inherit'] });
const hand = message => {
  port.postMessage(message);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
};
child.on('error', error => hand({ ended: error.message }));
child.on('exit', code => hand({ ended: `exit code ${code}` }));
readline.createInterface({ input: child.stdout }).on('line', line => hand(JSON.parse(line)));
port.on('message', request => child.stdin.write(`${JSON.stringify(request)}\n`));
