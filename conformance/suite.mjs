// Names what is tried, counts what holds, and closes with the words that the test runner counts.

import assert from 'node:assert/strict';

const failures = [];
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
let passed = 0;

/** Runs `body` unless the command line names other tests; one that throws has failed. */
export async function test(name, body) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return;
  try {
    await body();
    passed += 1;
  } catch (error) {
    failures.push(`${name}: ${error.stack ?? error}`);
  }
}

/** Prints what failed, then the count. */
export function close() {
  for (const failure of failures) console.log(failure);
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

export { assert };
