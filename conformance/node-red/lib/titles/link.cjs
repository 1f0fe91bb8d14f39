//! The way to the probe (`chancery probe`): asked with or without waiting, while a thread of its own holds the process.
'use strict';
const path = require('node:path');
const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads');
const patience = require('./patience.cjs');
const value = require('./value.cjs');

const ANSWER_MAX_MS = 10_000;
const CHANCERY = process.env.CHANCERY ?? path.resolve(__dirname, '../../../../target/debug/chancery');

const { port1: port, port2 } = new MessageChannel();
const signal = new Int32Array(new SharedArrayBuffer(4));
const waiting = new Map();
let last = 0;
let listener = () => {};

new Worker(path.join(__dirname, 'link-thread.cjs'), {
  workerData: { port: port2, signal, binary: CHANCERY }, transferList: [port2],
}).unref();
port.on('message', take);
port.unref();

/** Who hears what nodes tell. */
exports.listen = heard => { listener = heard; };

/** Asks for something; the answer comes later. */
exports.ask = request => new Promise((resolve, reject) => {
  port.ref();
  waiting.set(send(request), { resolve, reject });
});

/** Asks for something and stands still until it is there. What nodes tell meanwhile is heard afterwards, in order. */
exports.askNow = request => {
  const id = send(request);
  const heard = [];
  for (const until = Date.now() + ANSWER_MAX_MS; Date.now() < until;) {
    const seen = Atomics.load(signal, 0);
    const received = receiveMessageOnPort(port);
    if (!received) Atomics.wait(signal, 0, seen, 100);
    else if (received.message.answer !== id) heard.push(received.message);
    else {
      setImmediate(() => heard.forEach(take));
      return outcome(received.message);
    }
  }
  throw new Error(`no answer to ${request.do}`);
};

function send(request) {
  patience.sound();
  last += 1;
  port.postMessage({ id: last, ...request });
  return last;
}

function take(message) {
  patience.sound();
  if (message.ended) throw new Error(`the probe ended: ${message.ended}`);
  if (message.answer === undefined) return listener(message);
  const { resolve, reject } = waiting.get(message.answer);
  waiting.delete(message.answer);
  if (!waiting.size) port.unref();
  try {
    resolve(outcome(message));
  } catch (error) {
    reject(error);
  }
}

function outcome({ refused, value: answered }) {
  if (refused !== undefined) throw new Error(refused);
  return value.read(answered);
}
