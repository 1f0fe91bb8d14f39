// `chancery serve` on documents that a runner writes, on a free loopback port, with nothing kept.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The command, as the test runner or a build by hand made it. */
export const binary = process.env.CHANCERY ?? join(root, 'target', 'debug', 'chancery');
const START_MS_MAX = 60_000;

/** A folder for documents and keys; it goes when the process ends. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), 'chancery-conformance-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

export class Server {
  #child;
  #lines = [];

  /** Serves these documents, name to text, with these further arguments. */
  static async start(place, documents, given = []) {
    const files = Object.entries(documents).map(([name, text]) => {
      const path = join(place, `${name}.json`);
      writeFileSync(path, text);
      return path;
    });
    const server = new Server();
    const listeners = ['--runtime', '127.0.0.1:0', '--core', 'off', '--studio', 'off'];
    const options = { env: { PATH: process.env.PATH }, stdio: ['ignore', 'ignore', 'pipe'] };
    const data = ['--data', join(place, 'data'), '--ephemeral'];
    server.#child = spawn(binary, ['serve', ...files, ...data, ...listeners, ...given], options);
    server.#child.once('error', (error) => server.#lines.push(String(error)));
    server.ended = new Promise((resolve) => server.#child.once('close', resolve));
    server.url = await server.#address();
    return server;
  }

  #address() {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no address in time')), START_MS_MAX);
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.#lines.push(line);
        const found = /^runtime (http:\/\/\S+)/.exec(line);
        if (found) {
          clearTimeout(late);
          resolve(found[1]);
        }
      });
      this.ended.then(() => {
        clearTimeout(late);
        reject(new Error(this.#lines.join('\n')));
      });
    });
  }

  /** Status and body of one request. */
  async ask(path, headers = {}) {
    const answer = await fetch(this.url + path, { headers });
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  }

  /** The body of a request that is answered with 200. */
  async token(path, headers) {
    const { status, body } = await this.ask(path, headers);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${body}\n${this.#lines.slice(-3).join('\n')}`);
    return body;
  }

  async stop() {
    this.#child.kill('SIGTERM');
    await this.ended;
  }
}
