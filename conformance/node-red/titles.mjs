//! Node-RED's own specifications, run against Chancery: each title passed, failed or skipped, with the reason.
//
// node titles.mjs --specs DIR [NAME]   the *_spec.js files below DIR (a checkout's `test` folder) whose path contains NAME
// node titles.mjs --smoke              our own specification: shows that the run sees what passes, fails and is skipped
//   --quiet                            only what failed, and the counts
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';

const HERE = import.meta.dirname;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { specs: { type: 'string' }, smoke: { type: 'boolean' }, quiet: { type: 'boolean' } },
});
if (!options.specs && !options.smoke) {
  console.error('usage: node titles.mjs --specs DIR [NAME] | --smoke');
  process.exit(2);
}
const folder = options.smoke ? path.join(HERE, 'smoke') : path.resolve(options.specs);
const written = JSON.parse(readFileSync(path.join(HERE, 'lib/titles/written.json'), 'utf8'));
const total = { passed: 0, failed: 0, skipped: 0 };
const judge = options.smoke ? asForetold : asWritten;
for (const spec of specsBelow(folder)) await runSpec(spec);
console.log(`${total.skipped} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed || !total.passed ? 1 : 0;

function specsBelow(root) {
  const files = readdirSync(root, { recursive: true }).map(String).sort();
  return files.filter(file => file.endsWith('_spec.js') && file.includes(positionals[0] ?? ''));
}

async function runSpec(spec) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const child = spawn(path.join(HERE, 'node_modules/.bin/node'), [path.join(HERE, 'lib/titles/run-spec.cjs'), path.join(folder, spec)], {
    stdio: ['ignore', 'pipe', options.quiet ? 'ignore' : 'inherit'],
  });
  const ended = new Promise(resolve => child.on('exit', resolve));
  for await (const text of readline.createInterface({ input: child.stdout })) {
    if (text.startsWith('{"')) report(spec, judge(JSON.parse(text), spec), counts);
    else if (!options.quiet) console.log(`    ${text}`);
  }
  const code = await ended;
  if (code) report(spec, { title: 'the whole file', outcome: 'failed', why: `exit code ${code}` }, counts);
  console.log(`# ${spec}: ${counts.passed} of ${counts.passed + counts.failed + counts.skipped}, ${counts.failed} failed, ${counts.skipped} skipped`);
}

function report(spec, { title = 'the whole file', outcome, why }, counts) {
  const kind = outcome === 'unread' ? 'skipped' : outcome;
  counts[kind] += 1;
  total[kind] += 1;
  if (options.quiet && kind !== 'failed') return;
  console.log(`${{ passed: 'ok', failed: 'not ok', skipped: 'skip' }[kind]} - ${spec}: ${title}`);
  if (why) console.log(why.replace(/^/gm, '    '));
}

// What a deviation of the contract says of a title is no failure, as long as it does not pass.
function asWritten(line, spec) {
  const found = Object.entries(written[path.basename(spec)] ?? {}).find(([title]) => line.title?.endsWith(title));
  if (!found || line.outcome === 'skipped') return line;
  if (line.outcome === 'passed') return { ...line, outcome: 'failed', why: `passes, and stands in written.json still` };
  return { ...line, outcome: 'skipped', why: found[1] };
}

// A title of our own specification says at its end what must become of it, unless it passes.
function asForetold(line) {
  const foretold = /\((fails|is skipped)\)$/.exec(line.title)?.[1];
  const expected = { fails: 'failed', 'is skipped': 'skipped' }[foretold] ?? 'passed';
  if (line.outcome === expected) return { ...line, outcome: 'passed' };
  return { ...line, outcome: 'failed', why: `${line.outcome}, and should have been ${expected}: ${line.why ?? ''}` };
}
