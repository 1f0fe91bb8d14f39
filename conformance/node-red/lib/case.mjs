//! Reads the cases: one folder each, with flows, secrets, requests and the deviations they may show.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseRequests } from './request-file.mjs';

const CASES = path.resolve(import.meta.dirname, '../cases');
const DEVIATION = /^(D([1-9]|1\d|2[0-3])|decision)$/;

/** Every case whose name contains `filter`, by name. */
export function readCases(filter = '') {
  return readdirSync(CASES).sort().filter(name => name.includes(filter)).map(readCase);
}

function readCase(name) {
  const folder = path.join(CASES, name);
  const json = (file, otherwise) => {
    const full = path.join(folder, file);
    return existsSync(full) ? JSON.parse(readFileSync(full, 'utf8')) : otherwise;
  };
  const about = json('case.json', {});
  const testCase = {
    name, folder, recording: path.join(folder, 'upstream.txt'),
    flows: json('flows.json'), secrets: json('secrets.json', {}), expected: json('expect.json', {}),
    requests: parseRequests(readFileSync(path.join(folder, 'requests.http'), 'utf8')),
    package: about.package ?? null, environment: about.environment ?? {}, verifyWith: about.verifyWith ?? {},
    secretsIn: about.secretsIn, chanceryEnvironment: about.chanceryEnvironment, chanceryArguments: about.chanceryArguments,
  };
  check(testCase);
  return testCase;
}

function check({ name, requests, expected }) {
  const titles = new Set(requests.map(request => request.title));
  if (titles.size !== requests.length) throw new Error(`${name}: two requests have the same title`);
  for (const [title, { deviation, because, chancery }] of Object.entries(expected)) {
    if (title !== '*' && !titles.has(title)) throw new Error(`${name}/expect.json: no request "${title}"`);
    if (!DEVIATION.test(deviation)) throw new Error(`${name}/expect.json: "${deviation}" names no deviation`);
    if (!because || !chancery) throw new Error(`${name}/expect.json: "${title}" lacks because or chancery`);
  }
}

/** The secrets that may have signed a token of this case: `{owner: text}`. */
export function keysOf(testCase) {
  const keys = { ...testCase.verifyWith };
  for (const [node, fields] of Object.entries(testCase.secrets)) {
    for (const value of Object.values(fields)) keys[node] = resolved(value, testCase.environment);
  }
  return keys;
}

function resolved(value, environment) {
  const name = /^\$(?:\{(\w+)\}|\((\w+)\))$/.exec(value);
  return name ? environment[name[1] ?? name[2]] ?? value : value;
}

/** The deviation that a request may show, or undefined. */
export function deviationOf({ expected }, { title }) {
  return Object.hasOwn(expected, title) ? expected[title] : expected['*'];
}
