//! Starts, feeds and stops the two programs that answer: a real Node-RED and Chancery.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const HERE = path.resolve(import.meta.dirname, '..');
const START_MAX_MS = 30_000;
// Flows with a node type that Node-RED does not know never start, so the wait for them is short.
const DEPLOY_MAX_MS = 1500;
const LOG_KEPT_BYTES = 20_000;
// They register the same node types, so a Node-RED loads at most one of them.
const RIVALS = ['node-red-contrib-jwt', 'node-red-contrib-jwt2', 'node-red-contrib-jwt-claim'];
let deploys = 0;

/**
 * One Node-RED for many cases: each `deploy` replaces all flows and credentials.
 * Settings are the default ones, the admin API at the root included (its body parsers come first and answer
 * for malformed bodies), but for the editor page and for error pages without stacks (NODE_ENV=production).
 * Of the packages that register the same node types it loads the one that is named.
 */
export async function startNodeRed(environment, rival = null) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'conformance-node-red-'));
  const port = await freePort();
  await writeFile(path.join(folder, 'settings.js'), `module.exports = ${JSON.stringify({
    uiHost: '127.0.0.1', uiPort: port, flowFile: 'flows.json', credentialSecret: false,
    disableEditor: true, telemetry: { enabled: false, updateNotification: false },
    logging: { console: { level: 'warn', metrics: false, audit: false } },
    externalModules: { palette: { denyList: RIVALS.filter(name => name !== rival) } },
  })};`);
  await install('jsonwebtoken', folder);
  const program = launch(path.join(HERE, 'node_modules/.bin/node'), [
    path.join(HERE, 'node_modules/node-red/red.js'), '--userDir', folder, '--settings', path.join(folder, 'settings.js'),
  ], { NODE_ENV: 'production', ...environment });
  await answering(program, port, '/flows');
  return {
    port,
    deploy: testCase => deploy(port, testCase),
    log: program.log,
    stop: async () => {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// Function nodes may ask for a module that stands in the user folder; without it Node-RED would call npm.
async function install(module, folder) {
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ dependencies: { [module]: '*' } }));
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(path.join(HERE, 'node_modules', module), path.join(folder, 'node_modules', module));
}

// Credentials and contexts of nodes that stay are kept, so every case begins from no nodes at all.
async function deploy(port, testCase) {
  await replaceFlows(port, { flows: [], secrets: {} });
  await replaceFlows(port, testCase);
}

async function replaceFlows(port, { flows, secrets }) {
  const ready = `/conformance-ready-${deploys += 1}`;
  const answer = await fetch(`http://127.0.0.1:${port}/flows`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Node-RED-API-Version': 'v2', 'Node-RED-Deployment-Type': 'full' },
    body: JSON.stringify({ flows: [...flows, ...readyFlow(ready)], credentials: secrets }),
  });
  if (!answer.ok) throw new Error(`Node-RED refused the flows: ${answer.status} ${await answer.text()}`);
  await waitFor(DEPLOY_MAX_MS, async () => (await fetch(`http://127.0.0.1:${port}${ready}`)).ok);
}

// Node-RED acknowledges a deploy before the flows run; this one runs last.
function readyFlow(url) {
  const z = 'conformance-ready';
  return [
    { id: `${z}-in`, type: 'http in', z, url, method: 'get', x: 0, y: 0, wires: [[`${z}-out`]] },
    { id: `${z}-out`, type: 'http response', z, statusCode: '', headers: {}, x: 0, y: 0, wires: [] },
  ];
}

/** Chancery takes one document a process, so `deploy` starts a new one. */
export function chancery(binary, environment) {
  let program;
  const side = {
    port: 0,
    log: () => program?.log() ?? '',
    stop: async () => program?.stop(),
    deploy: async testCase => {
      await side.stop();
      side.port = await freePort();
      const inDocument = testCase.secretsIn === 'document';
      const document = inDocument ? await withCredentials(testCase) : path.join(testCase.folder, 'flows.json');
      const { args, variables } = secretArguments(inDocument ? {} : testCase.secrets);
      program = launch(binary, [
        'serve', document, '--ephemeral', '--runtime', `127.0.0.1:${side.port}`, '--core', 'off', '--studio', 'off',
        ...args, ...(testCase.chanceryArguments ?? []),
      ], { ...environment, ...variables, ...testCase.chanceryEnvironment });
      await answering(program, side.port, '/');
    },
  };
  return side;
}

/** The flows and their credentials in one document, as Node-RED's own API takes them. */
async function withCredentials({ flows, secrets }) {
  const document = path.join(await mkdtemp(path.join(os.tmpdir(), 'conformance-document-')), 'flows.json');
  await writeFile(document, JSON.stringify({ flows, credentials: secrets }));
  return document;
}

function secretArguments(secrets) {
  const args = [];
  const variables = {};
  for (const [node, fields] of Object.entries(secrets)) {
    for (const [field, value] of Object.entries(fields)) {
      const name = `CONFORMANCE_SECRET_${args.length / 2}`;
      args.push('--secret', `${node}.${field}=env:${name}`);
      variables[name] = value;
    }
  }
  return { args, variables };
}

function launch(command, args, environment) {
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = chunk => { log = (log + chunk).slice(-LOG_KEPT_BYTES); };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise(resolve => {
    child.on('error', error => resolve(`could not be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(`ended with ${signal ?? `exit code ${code}`}`));
  });
  return {
    ended,
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(killer);
    },
  };
}

async function answering(program, port, target) {
  let over = null;
  program.ended.then(how => { over = how; });
  const up = await waitFor(START_MAX_MS, () => over || fetch(`http://127.0.0.1:${port}${target}`).then(() => true, () => false));
  if (up === true) return;
  await program.stop();
  throw new Error(`${over ?? `did not answer within ${START_MAX_MS} ms`}\n${program.log()}`);
}

/** Asks every few milliseconds until `ask` gives something or `maxMs` are over. */
async function waitFor(maxMs, ask) {
  for (const started = Date.now(); Date.now() - started < maxMs;) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  return null;
}

function freePort() {
  return new Promise(resolve => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
