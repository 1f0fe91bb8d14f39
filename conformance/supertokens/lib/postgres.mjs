// A PostgreSQL of its own on a free loopback port, gone with what started it.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS_MAX = 60_000;
const debian = '/usr/lib/postgresql';
const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(a) - Number(b)) : [];
const program = (name) => (versions.length > 0 ? join(debian, versions.at(-1), 'bin', name) : name);
// It refuses to run as root.
const asItself = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : [];

export class Postgres {
  #child;

  static async start() {
    const postgres = new Postgres();
    postgres.folder = mkdtempSync(join(tmpdir(), 'chancery-pg.'));
    chmodSync(postgres.folder, 0o700);
    if (asItself.length > 0) execFileSync('chown', ['postgres', postgres.folder]);
    postgres.port = await freePort();
    postgres.url = `postgres://test@127.0.0.1:${postgres.port}/postgres`;
    const words = ['-D', join(postgres.folder, 'data'), '-U', 'test', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8'];
    const [first, ...rest] = [...asItself, program('initdb'), ...words];
    execFileSync(first, rest, { cwd: postgres.folder, stdio: ['ignore', 'ignore', 'inherit'] });
    const serve = ['-D', join(postgres.folder, 'data'), '-p', `${postgres.port}`, '-k', postgres.folder];
    const [program0, ...args] = [...asItself, program('postgres'), ...serve, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'];
    postgres.#child = spawn(program0, args, { cwd: postgres.folder, stdio: 'ignore' });
    postgres.ended = new Promise((resolve) => postgres.#child.once('exit', resolve));
    process.once('exit', () => postgres.#child.kill('SIGQUIT'));
    const late = Date.now() + START_MS_MAX;
    while (!postgres.#isUp()) {
      if (Date.now() > late) throw new Error('the database does not start');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return postgres;
  }

  #isUp() {
    try {
      execFileSync(program('pg_isready'), ['-q', '-h', '127.0.0.1', '-p', `${this.port}`]);
      return true;
    } catch {
      return false;
    }
  }

  /** Ends it at once, as a crash would. */
  async stop() {
    this.#child.kill('SIGQUIT');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
