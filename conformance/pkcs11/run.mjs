// Rings whose keys lie in a PKCS#11 token: SoftHSM behind a module that can be spoilt, the real command line and server,
// and Node.js' own OpenSSL to verify what they sign.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const chancery = process.env.CHANCERY ?? join(root, 'target', 'debug', 'chancery');
const real = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'].find(existsSync);
const at = mkdtempSync(join(tmpdir(), 'chancery-pkcs11-'));
const file = (name) => join(at, name);
const data = file('data');
const module = file('module.so');
const PIN = '98765432';
const env = { PATH: process.env.PATH, SOFTHSM2_CONF: file('conf'), P11_REAL: real, P11_FAULT: file('fault'), P11_CALLS: file('calls') };
const run = (program, ...words) => execFileSync(program, words, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const cli = (...words) => run(chancery, '--data', data, ...words);
const reconcile = () => JSON.parse(cli('keys', 'reconcile', '--json'));
const generations = (ring) => JSON.parse(cli('keys', 'show', ring, '--json')).generations;

/** How each algorithm is verified by Node.js. */
const CHECKS = {
  RS256: (key) => ['sha256', key],
  PS256: (key) => ['sha256', { key, padding: 6, saltLength: 32 }],
  ES256: (key) => ['sha256', { key, dsaEncoding: 'ieee-p1363' }],
  EdDSA: (key) => [null, key],
};

let passed = 0;
const failures = [];
/** Servers that a test may have left behind. */
const servers = [];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function test(name, body) {
  try {
    await body();
    passed += 1;
  } catch (error) {
    failures.push(`${name}: ${error.signal ?? ''} ${error.stderr ?? ''}${error.stack}`);
  } finally {
    rmSync(env.P11_FAULT, { force: true });
    servers.splice(0).forEach((child) => child.kill('SIGKILL'));
  }
}

/** A server of the data folder; gives its addresses, and what stops it. */
async function serve(...documents) {
  const words = ['--data', data, 'serve', ...documents, '--runtime', '127.0.0.1:0', '--health', '127.0.0.1:0', '--core', 'off', '--studio', 'off'];
  const child = spawn(chancery, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  servers.push(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const found = {};
  const heard = [];
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no address in time: ${heard.join('\n')}`)), 60_000);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        heard.push(line);
        const [, name, url] = /^(runtime|health) (http:\/\/\S+)/.exec(line) ?? [];
        if (name) found[name] = url.replace(/\/$/, '');
        if (found.runtime && found.health) {
          clearTimeout(late);
          resolve();
        }
      });
    }
    ended.then(() => reject(new Error(heard.join('\n'))));
  });
  return { ...found, pid: child.pid, stop: (signal = 'SIGTERM') => (child.kill(signal), ended) };
}

mkdirSync(file('tokens'));
writeFileSync(file('conf'), `directories.tokendir = ${file('tokens')}\n`);
run('cc', '-shared', '-fPIC', '-O1', '-o', module, join(root, 'crates', 'signer', 'tests', 'faulty_module.c'), '-ldl');
run('softhsm2-util', '--init-token', '--free', '--label', 'chancery', '--so-pin', '12345678', '--pin', PIN);
cli('init');
writeFileSync(join(data, 'hsm.pin'), `${PIN}\n`);
writeFileSync(join(data, 'chancery.toml'), `hsm.module = '${module}'\n`);

// KR-27: rings of each kind in the token, signer and standby beside each other; their tokens hold for an independent
// library.
await test('keys in a token', async () => {
  const algorithms = Object.keys(CHECKS);
  const ring = (alg) => `hsm-${alg.toLowerCase()}`;
  for (const alg of algorithms) cli('keys', 'create', ring(alg), '--alg', alg, '--in-hsm');
  const { whole, orphans, halves, missing } = reconcile();
  assert.deepEqual([whole, orphans, halves, missing], [2 * algorithms.length, [], [], []]);
  const tokens = algorithms.map((alg) => [alg, cli('mint', '--key', `ring:${ring(alg)}`, '--claim', 'sub=x').trim()]);
  const server = await serve();
  const { keys } = await (await fetch(`${server.runtime}/.well-known/jwks.json`)).json();
  await server.stop();
  for (const [alg, token] of tokens) {
    const [header, claims, signature] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url'));
    assert.equal(keys.filter((key) => generations(ring(alg)).some((row) => row.kid === key.kid)).length, 2);
    const jwk = keys.find((key) => key.kid === kid);
    const [hash, key] = CHECKS[alg](createPublicKey({ key: jwk, format: 'jwk' }));
    assert.ok(verify(hash, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')), alg);
  }
});

// I13: a private half is sensitive, cannot be taken out, and goes when its trust ends.
await test('a private half stays, and ends with its generation', () => {
  const private1 = generations('hsm-es256').at(-1).kid;
  assert.throws(() => cli('keys', 'export', 'hsm-es256', private1, '--out', file('out.jwk')), /private half/);
  const before = reconcile();
  cli('keys', 'revoke', 'hsm-es256', private1, '--reason', 'test');
  // The revoked pair is gone, and its successor has a standby.
  assert.deepEqual(reconcile(), before);
  assert.equal(generations('hsm-es256').length, 3);
  const told = run('pkcs11-tool', '--module', module, '--token-label', 'chancery', '--login', '--pin', PIN, '--list-objects', '--type', 'privkey');
  const privates = told.split('Private Key Object').slice(1);
  assert.equal(privates.length, before.whole);
  for (const half of privates) assert.match(half, /sensitive, always sensitive, never extractable/);
});

// KR-30: killed between the making of a pair and its row: no row, the next run makes it, the orphan is told.
await test('a pair that was made and not stored', async () => {
  const before = generations('hsm-es256').length;
  writeFileSync(env.P11_FAULT, 'made');
  const words = ['--data', data, 'keys', 'revoke', 'hsm-es256', String(before)];
  const child = spawn(chancery, words, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal)));
  await pause(3_000);
  child.kill('SIGKILL');
  rmSync(env.P11_FAULT);
  assert.equal(await ended, 'SIGKILL');
  assert.equal(generations('hsm-es256').length, before);
  assert.equal(reconcile().orphans.length, 1);
  const server = await serve();
  for (let tries = 0; generations('hsm-es256').length === before && tries < 100; tries += 1) {
    await pause(200);
  }
  assert.equal(generations('hsm-es256').length, before + 1);
  assert.equal(reconcile().orphans.length, 1);
  await server.stop();
});

/** A flow that answers a token of this ring under `/ring`, and 502 with the error if there is none. */
function flowOf(ring) {
  const signature = { type: 'asymmetric', asymmetric: { keyType: 'EC', ecAlgorithm: 'ES256', keyRef: ring } };
  const config = { ttl: 300, claims: { sub: 'x' }, signature, save: { attributes: ['token'], variable: 'jwt' } };
  const nodes = [
    { id: 'n1', type: 'start', name: 'Start', config: { sessionTtl: 300 }, exits: { Next: 'n2' } },
    { id: 'n2', type: 'jwt-generator', name: 'JWT - Generator', config, exits: { True: 'n3', Failure: 'n4' } },
    { id: 'n3', type: 'end-success', config: { body: { json: '{"access_token": {{jwt.token}}}' } } },
    { id: 'n4', type: 'end-failure', config: { status: 502, body: { json: '{"error": {{flow.error.message}}}' } } },
  ];
  const trigger = { type: 'api', method: 'POST', path: `/${ring}`, authentication: 'none' };
  const flow = { format: 'chancery.orchestration/1', id: ring, name: ring, category: 'API', active: true, trigger, nodes };
  writeFileSync(file(`${ring}.json`), JSON.stringify(flow));
  return file(`${ring}.json`);
}

// KR-57 (part), KR-58 (part): behind a token that hangs everybody who asks it is turned away in time, and flows that sign
// with a key of the store do not wait for it.
await test('a token that hangs', async () => {
  const server = await serve(flowOf('hsm-es256'), flowOf('es256'));
  const ask = async (ring) => {
    const reply = await fetch(`${server.runtime}/${ring}`, { method: 'POST' });
    return [reply.status, await reply.json()];
  };
  for (const ring of ['hsm-es256', 'es256']) assert.equal((await ask(ring))[0], 200, ring);
  writeFileSync(env.P11_FAULT, 'hang');
  let answered = 0;
  const hanging = Array.from({ length: 40 }, () => ask('hsm-es256').finally(() => (answered += 1)));
  const others = [];
  for (let tries = 0; tries < 20; tries += 1) others.push((await ask('es256'))[0]);
  const answeredBefore = answered;
  const statuses = (await Promise.all(hanging)).map(([status]) => status);
  rmSync(env.P11_FAULT);
  assert.deepEqual([...new Set(others)], [200]);
  assert.ok(answeredBefore < 40, 'twenty other tokens were there before the last that asked the token was turned away');
  assert.deepEqual([...new Set(statuses)], [502]);
  await pause(1_500);
  assert.equal((await ask('hsm-es256'))[0], 200);
  await server.stop();
});

const control = new Agent({ keepAlive: true, maxSockets: Infinity });

/** A token of a ring, asked of a running server over its control socket: status, code, `Retry-After` and milliseconds. */
function mint(ring) {
  const begun = performance.now();
  const path = `/rings/public/${ring}/mint`;
  return new Promise((resolve, reject) => {
    const socketPath = join(data, 'control.sock');
    const asked = request({ agent: control, socketPath, path, method: 'POST', headers: { host: 'x' } }, (reply) => {
      let text = '';
      reply.on('data', (part) => (text += part));
      reply.on('end', () => {
        const { error = 'token' } = JSON.parse(text);
        const ms = performance.now() - begun;
        resolve({ status: reply.statusCode, code: error, retryAfter: reply.headers['retry-after'], ms });
      });
    });
    asked.on('error', reject);
    const exp_secs = Math.floor(Date.now() / 1_000) + 60;
    asked.end(JSON.stringify({ typ: 'JWT', header: [], claims: ['issued_at', 'expires'], exp_secs }));
  });
}

const many = (count, ring) => Promise.all(Array.from({ length: count }, () => mint(ring)));
const counted = (replies, code) => replies.filter((reply) => reply.code === code);

/** The threads of a server that ask the token. */
function askers(pid) {
  const name = (task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim();
  return readdirSync(`/proc/${pid}/task`).filter((task) => name(task) === 'pkcs11').length;
}

/** Waits until so many threads ask the token: a new one bears its name a moment after its caller is answered. */
async function askersBecome(pid, count) {
  for (let tries = 0; tries < 50 && askers(pid) !== count; tries += 1) await pause(20);
  assert.equal(askers(pid), count);
}

/** How long the slowest but two of two hundred tokens took, asked for one after the other, in milliseconds. */
async function p99(ring) {
  const times = [];
  for (let tries = 0; tries < 200; tries += 1) {
    const reply = await mint(ring);
    assert.equal(reply.code, 'token');
    times.push(reply.ms);
  }
  return times.sort((a, b) => a - b)[197];
}

// KR-57: behind a token that hangs the answer is 503 `hsm_timeout` at two seconds; its threads are replaced, at most four;
// other algorithms sign meanwhile; and when it comes back, it signs and the spare threads are gone.
await test('a token that hangs, by the clock', async () => {
  const server = await serve();
  assert.equal((await mint('hsm-es256')).code, 'token');
  const before = askers(server.pid);
  assert.equal(before, 4);
  writeFileSync(env.P11_FAULT, 'hang');
  const begun = performance.now();
  const hanging = many(4, 'hsm-es256');
  const others = [];
  while (performance.now() - begun < 1_500) for (const ring of ['es256', 'rs256', 'eddsa']) others.push(await mint(ring));
  assert.equal(counted(others, 'token').length, others.length);
  assert.ok(others.length >= 9 && performance.now() - begun < 1_900, `${others.length} others`);
  for (const { status, code, ms, retryAfter } of await hanging) {
    assert.deepEqual([status, code, retryAfter], [503, 'hsm_timeout', '1']);
    assert.ok(ms >= 1_990 && ms < 3_000, `${ms} ms`);
  }
  await askersBecome(server.pid, before + 4);
  const again = await many(4, 'hsm-es256');
  assert.deepEqual([...new Set(again.map((reply) => reply.status))], [503]);
  assert.equal(askers(server.pid), before + 4, 'those that hang again are not replaced again');
  rmSync(env.P11_FAULT);
  await pause(1_500);
  assert.equal((await mint('hsm-es256')).code, 'token');
  await askersBecome(server.pid, before);
  await server.stop();
});

// KR-58: behind a token that is slow by half a second some wait, and who would wait too long is told 503 with Retry-After;
// what ES256 in memory takes is unchanged, to less than half of what the token adds.
await test('a token that is slow', async () => {
  const server = await serve();
  const alone = await p99('es256');
  writeFileSync(env.P11_FAULT, 'slow 500');
  const crowds = [];
  const measured = p99('es256').finally(() => (crowds.ended = true));
  while (!crowds.ended) crowds.push(await many(120, 'hsm-es256'));
  const beside = await measured;
  rmSync(env.P11_FAULT);
  const replies = crowds.flat();
  const signed = counted(replies, 'token');
  const refused = counted(replies, 'hsm_busy');
  assert.equal(signed.length + refused.length, replies.length);
  assert.ok(signed.length >= 4 * crowds.length && signed.length <= 12 * crowds.length, `${signed.length} of ${replies.length}`);
  assert.deepEqual([...new Set(refused.map((reply) => `${reply.status} ${reply.retryAfter}`))], ['503 1']);
  assert.ok(Math.max(...replies.map((reply) => reply.ms)) < 3_000);
  assert.ok(beside < alone + 250, `p99 ${alone} ms alone, ${beside} ms beside`);
  await pause(600);
  assert.equal((await mint('hsm-es256')).code, 'token');
  await server.stop();
});

// KR-60: half a pair is told, and a wrong PIN is tried once, keeps the server from being ready, and stops nothing else.
await test('half a pair, and a wrong PIN', async () => {
  const id = 'a1'.repeat(16);
  const tool = ['--module', module, '--token-label', 'chancery', '--login', '--pin', PIN];
  run('pkcs11-tool', ...tool, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', id, '--label', 'chancery public/hsm-es256');
  run('pkcs11-tool', ...tool, '--delete-object', '--type', 'pubkey', '--id', id);
  const half = reconcile().orphans.find((pair) => pair.id === id);
  assert.deepEqual([half.private, half.public], [true, false]);
  writeFileSync(join(data, 'hsm.pin'), '11111111\n');
  rmSync(env.P11_CALLS, { force: true });
  const server = await serve();
  const ready = await fetch(`${server.health}/health/ready`);
  assert.deepEqual([ready.status, await ready.text()], [503, 'hsm_pin_refused']);
  assert.equal((await fetch(`${server.runtime}/.well-known/jwks.json`)).status, 200);
  await pause(1_000);
  assert.equal(readFileSync(env.P11_CALLS, 'utf8').split('l').length - 1, 1);
  await server.stop();
  writeFileSync(join(data, 'hsm.pin'), `${PIN}\n`);
});

rmSync(at, { recursive: true, force: true });
for (const failure of failures) console.log(failure);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
