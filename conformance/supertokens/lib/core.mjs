// Chancery with its core listener on a free loopback port, in a data folder of its own.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const binary = process.env.CHANCERY ?? join(root, 'target', 'debug', 'chancery');

/** An API key that opens the app `public`, named `billing`. */
export const API_KEY = 'abcdefghijklmnopqrstuvwxyz';
const START_MS_MAX = 60_000;

export class Core {
  #child;
  #lines = [];

  /** Starts a server with these lines of `chancery.toml`; by default one API key opens it. */
  static async start({ settings = `core.api_keys = ['billing:${API_KEY}']`, folder, bind = '127.0.0.1:0', environment = {} } = {}) {
    const core = new Core();
    core.isOwner = folder === undefined;
    core.folder = folder ?? mkdtempSync(join(tmpdir(), 'chancery-core-'));
    writeFileSync(join(core.folder, 'chancery.toml'), `log.form = 'json'\nlog.level = 'debug'\n${settings}\n`);
    const listeners = ['--core', bind, '--runtime', 'off', '--studio', 'off'];
    const options = { env: { PATH: process.env.PATH, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] };
    core.#child = spawn(binary, ['serve', '--init', '--data', core.folder, ...listeners], options);
    core.ended = new Promise((resolve) => core.#child.once('exit', resolve));
    core.url = await core.#address();
    return core;
  }

  /** What a server says that does not start. */
  static async refused(settings, environment = {}) {
    return Core.start({ settings, environment }).then(
      async (core) => {
        await core.stop();
        throw new Error('it started');
      },
      (error) => error.message,
    );
  }

  #address() {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no address in time')), START_MS_MAX);
      const hear = (line) => {
        this.#lines.push(line);
        const found = /^core (http:\/\/\S+)/.exec(line);
        if (found) {
          clearTimeout(late);
          resolve(found[1]);
        }
      };
      for (const stream of [this.#child.stdout, this.#child.stderr]) createInterface({ input: stream }).on('line', hear);
      this.ended.then(() => {
        clearTimeout(late);
        this.#remove();
        reject(new Error(this.#lines.join('\n')));
      });
    });
  }

  /** The lines of the log about this event so far. */
  events(name) {
    const parsed = this.#lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    return parsed.filter((line) => line.event === name);
  }

  /** The requests that came to the core so far, as `METHOD path`. */
  requests() {
    return this.events('request').map(({ method, path }) => `${method} ${path}`);
  }

  async stop() {
    this.#child.kill('SIGTERM');
    await this.ended;
    this.#remove();
  }

  #remove() {
    if (this.isOwner) rmSync(this.folder, { recursive: true, force: true });
  }

  /** One request over a connection of its own: status, header fields in lower case, the body as text. */
  ask(method, path, { headers = {}, body } = {}) {
    const { hostname, port } = new URL(this.url);
    const fields = body === undefined ? headers : { 'content-length': Buffer.byteLength(body), ...headers };
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, method, path, headers: fields, agent: false }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  get(path, headers) {
    return this.ask('GET', path, { headers });
  }

  /** `POST /recipe/jwt` with the key, unless `headers` say otherwise; a body that is no text is written as JSON. */
  create(body, headers = { 'api-key': API_KEY }, path = '/recipe/jwt') {
    return this.ask('POST', path, { headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  }

  /** These octets on a connection of their own, and everything that comes back until it is closed. */
  raw(octets) {
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) });
      const chunks = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
      socket.on('error', reject);
      socket.write(octets);
    });
  }
}

/** A whole request body of `POST /recipe/jwt`, with some members exchanged; undefined ones are left out. */
export function order(members = {}) {
  return { payload: {}, validity: 3600, algorithm: 'RS256', jwksDomain: 'https://api.example.com', ...members };
}

/** A part of a compact token, as text. */
export function part(token, index) {
  return Buffer.from(token.split('.')[index], 'base64url').toString();
}
