//! The requests in which Chancery is known to differ still: a list that only shrinks.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FILE = path.resolve(import.meta.dirname, '../not-yet.txt');
const HEAD = '# Requests that Chancery does not answer as Node-RED does, yet. `node run.mjs --shrink` takes off what passes.\n';

/** The names on the list, as the run prints them. */
export function readNotYet() {
  return new Set(readFileSync(FILE, 'utf8').split('\n').filter(line => line && !line.startsWith('#')));
}

/** Writes the list without `passed`. */
export function shrinkNotYet(list, passed) {
  writeFileSync(FILE, HEAD + [...list].filter(name => !passed.has(name)).map(name => `${name}\n`).join(''));
}
