//! The differential run: same flows, secrets and requests; Node-RED answers, Chancery must answer the same. Shows NR-104.
//
// node run.mjs [NAME]        Node-RED beside Chancery; only cases whose name contains NAME
//   --record                 asks Node-RED alone and writes each case's upstream.txt
//   --recorded               Chancery against upstream.txt, without starting Node-RED
//   --shrink                 takes off not-yet.txt what passes
//   --peer node-red          a second Node-RED in Chancery's place: shows that the run itself adds no difference
import path from 'node:path';
import { parseArgs } from 'node:util';
import { deviationOf, readCases } from './lib/case.mjs';
import { judge } from './lib/judge.mjs';
import { readNotYet, shrinkNotYet } from './lib/not-yet.mjs';
import { chancery, startNodeRed } from './lib/peers.mjs';
import { play } from './lib/play.mjs';
import { readRecording, staleRecording, writeRecording } from './lib/recording.mjs';
import { selfChecks } from './lib/self-check.mjs';
import { startUpstream } from './lib/upstream.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    record: { type: 'boolean' }, recorded: { type: 'boolean' }, shrink: { type: 'boolean' },
    peer: { type: 'string', default: 'chancery' },
  },
});
const isChancery = options.peer === 'chancery';
const cases = readCases(positionals[0]);
const outside = await startUpstream();
const environment = environmentOf(cases);
const notYet = isChancery ? readNotYet() : new Set();
const tally = { passed: new Set(), failed: 0, notYet: 0 };

for (const [name, reasons] of await selfChecks()) report(`self-check: ${name}`, reasons);
const ours = options.record ? null : await startOurs();
try {
  for (const rival of new Set(cases.map(one => one.package))) {
    await runCases(cases.filter(one => one.package === rival), rival);
  }
} finally {
  await ours?.stop();
  outside.stop();
}
if (options.shrink) shrinkNotYet(notYet, tally.passed);
if (tally.notYet) console.log(`not yet as Node-RED answers: ${tally.notYet}`);
console.log(`${tally.passed.size} passed, ${tally.failed} failed`);
process.exitCode = tally.failed ? 1 : 0;

// Cases share one process of each peer, so a name means the same to all of them.
function environmentOf(some) {
  const all = { CONFORMANCE_UPSTREAM: outside.origin };
  for (const one of some) {
    for (const [name, value] of Object.entries(one.environment)) {
      if ((all[name] ?? value) !== value) throw new Error(`${one.name}: another case gives ${name} another value`);
      all[name] = value;
    }
  }
  return all;
}

async function runCases(some, rival) {
  const upstream = options.recorded ? null : await startNodeRed(environment, rival);
  try {
    for (const testCase of some) await runCase(testCase, upstream);
  } finally {
    await upstream?.stop();
  }
}

async function runCase(testCase, upstream) {
  const theirs = upstream ? await play(upstream, testCase) : readRecording(testCase);
  if (options.record) {
    writeRecording(testCase, theirs);
    return report(`${testCase.name}: recorded ${theirs.size}`, []);
  }
  if (upstream) report(`${testCase.name}: the recording holds`, staleRecording(testCase, theirs));
  const mine = await answersOfOurs(testCase);
  for (const request of testCase.requests) {
    const reasons = mine instanceof Error ? [mine.message] : judge(
      theirs.get(request.title), mine.get(request.title), isChancery ? deviationOf(testCase, request) : undefined);
    report(`${testCase.name}: ${request.title}`, reasons);
  }
}

// Where Node-RED never answers, a case waits for it only shortly; Chancery always answers.
function answersOfOurs(testCase) {
  return play(ours, testCase, isChancery ? { patienceMs: 5000 } : {}).catch(error => error);
}

function startOurs() {
  if (!isChancery) return startNodeRed(environment);
  const built = path.resolve(import.meta.dirname, '../../target/debug/chancery');
  // Flows may reach the server outside, and a port where nobody listens.
  const allowed = [new URL(outside.origin).host, '127.0.0.1:1'].join(',');
  return chancery(process.env.CHANCERY ?? built, { ...environment, CHANCERY_FLOWS__FETCH__ALLOW: allowed });
}

function report(name, reasons) {
  const isListed = notYet.has(name);
  if (isListed && reasons.length) {
    tally.notYet += 1;
    return;
  }
  const told = isListed && !options.shrink ? ['passes, and stands on not-yet.txt still; `node run.mjs --shrink`'] : reasons;
  if (told.length) tally.failed += 1;
  if (!reasons.length) tally.passed.add(name);
  console.log(`${told.length ? 'not ok' : 'ok'} - ${name}`);
  for (const reason of told) console.log(reason.replace(/^/gm, '    '));
}
