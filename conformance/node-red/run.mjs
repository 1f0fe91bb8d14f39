//! The differential run: same flows, secrets and requests; Node-RED answers, Chancery must answer the same.
//
// node run.mjs [NAME]        Node-RED beside Chancery; only cases whose name contains NAME
//   --record                 asks Node-RED alone and writes each case's upstream.txt
//   --recorded               Chancery against upstream.txt, without starting Node-RED
//   --peer node-red          a second Node-RED in Chancery's place: shows that the run itself adds no difference
import path from 'node:path';
import { parseArgs } from 'node:util';
import { deviationOf, readCases } from './lib/case.mjs';
import { judge } from './lib/judge.mjs';
import { chancery, startNodeRed } from './lib/peers.mjs';
import { play } from './lib/play.mjs';
import { readRecording, staleRecording, writeRecording } from './lib/recording.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { record: { type: 'boolean' }, recorded: { type: 'boolean' }, peer: { type: 'string', default: 'chancery' } },
});
const tally = { passed: 0, failed: 0 };
const cases = readCases(positionals[0]);
// Where Node-RED never answers, a case waits for it only shortly; Chancery always answers.
const patience = options.peer === 'node-red' ? {} : { patienceMs: 5000 };
const environment = Object.assign({}, ...cases.map(one => one.environment));

const upstream = options.recorded ? null : await startNodeRed(environment);
const ours = options.record ? null : await startOurs();
try {
  for (const testCase of cases) await runCase(testCase);
} finally {
  await upstream?.stop();
  await ours?.stop();
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed || !tally.passed ? 1 : 0;

async function runCase(testCase) {
  const theirs = upstream ? await play(upstream, testCase) : readRecording(testCase);
  if (options.record) {
    writeRecording(testCase, theirs);
    return report(`${testCase.name}: recorded ${theirs.size}`, []);
  }
  if (upstream) report(`${testCase.name}: the recording holds`, staleRecording(testCase, theirs));
  const mine = await play(ours, testCase, patience).catch(error => error);
  for (const request of testCase.requests) {
    const reasons = mine instanceof Error ? [mine.message] : judge(
      theirs.get(request.title), mine.get(request.title), allowed(testCase, request));
    report(`${testCase.name}: ${request.title}`, reasons);
  }
}

function allowed(testCase, request) {
  return options.peer === 'node-red' ? undefined : deviationOf(testCase, request);
}

function startOurs() {
  if (options.peer === 'node-red') return startNodeRed(environment);
  const built = path.resolve(import.meta.dirname, '../../target/debug/chancery');
  return chancery(process.env.CHANCERY ?? built, environment);
}

function report(name, reasons) {
  tally[reasons.length ? 'failed' : 'passed'] += 1;
  console.log(`${reasons.length ? 'not ok' : 'ok'} ${tally.passed + tally.failed} - ${name}`);
  for (const reason of reasons) console.log(reason.replace(/^/gm, '    '));
}
