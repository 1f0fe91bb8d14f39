// Starts the core and M2, lets M1 call M2, and shows what M2 says to a caller without a token. Ctrl-C ends it.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = ['release', 'debug'].map((profile) =>
  fileURLToPath(new URL(`../../target/${profile}/chancery`, import.meta.url)),
);
const chancery = process.env.CHANCERY ?? built.find(existsSync) ?? 'chancery';
const core = 'http://127.0.0.1:3567';

const children = [];
function start(program, args) {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, CORE: core }, cwd: import.meta.dirname });
  children.push(child);
  child.on('error', (error) => console.error(`${program}: ${error.message}`));
  return new Promise((resolve) => child.on('exit', resolve));
}

async function isUp(url) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await fetch(url).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing answers at ${url}`);
}

process.on('exit', () => children.forEach((child) => child.kill()));
process.on('SIGINT', () => process.exit());

start(chancery, ['serve', '--ephemeral', '--core', '127.0.0.1:3567', '--runtime', 'off', '--studio', 'off']);
await isUp(`${core}/hello`);
start('node', ['m2.mjs']);
await isUp('http://127.0.0.1:4002/');
await start('node', ['m1.mjs']);
const reply = await fetch('http://127.0.0.1:4002/orders', { method: 'POST' });
console.log(`M2 answered a stranger: ${reply.status} ${await reply.text()}`);
if (process.argv.includes('--once')) process.exit();
console.log('M2 goes on; Ctrl-C ends it.');
