// The shipped schema, as an editor's validator reads it: every document that runs is valid, each slip is told.

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import { assert, test } from '../../suite.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** The paths of all flow documents that are shipped or compared. */
function documents() {
  const examples = readdirSync(join(root, 'examples/orchestration')).filter((name) => name.endsWith('.json'));
  const wishes = readdirSync(join(root, 'testdata/confluence'), { withFileTypes: true });
  return [
    ...examples.map((name) => `examples/orchestration/${name}`),
    ...wishes.filter((entry) => entry.isDirectory()).map((entry) => `testdata/confluence/${entry.name}/flow.json`),
  ];
}

const slips = {
  'an unknown format': (flow) => (flow.format = 'chancery.orchestration/0'),
  'no nodes': (flow) => delete flow.nodes,
  'an unknown member': (flow) => (flow.colour = 'red'),
  'an unknown category': (flow) => (flow.category = 'Api'),
  'an unknown type': (flow) => (flow.nodes[0].type = 'jwt-maker'),
  'an exit that the type lacks': (flow) => (generator(flow).exits.Maybe = 'x'),
  'a lifetime that is a list': (flow) => (generator(flow).config.ttl = [300]),
  'a member of a layer that does not exist': (flow) => (generator(flow).config.signature.key = 'k'),
  'a row of claims with a member too many': (flow) =>
    (generator(flow).config.claims = [{ name: 'a', type: 'String', value: 'b', scope: 'c' }]),
};

const generator = (flow) => flow.nodes.find((node) => node.type === 'jwt-generator');

export async function documentTests() {
  const schema = read('docs/schemas/orchestration-1.schema.json');
  const isValid = new Ajv({ strict: false, allErrors: true }).compile(schema);
  for (const path of documents()) {
    await test(`schema ${path}`, () => assert(isValid(read(path)), JSON.stringify(isValid.errors?.slice(0, 3))));
  }
  for (const [slip, make] of Object.entries(slips)) {
    await test(`schema refuses ${slip}`, () => {
      const flow = read('examples/orchestration/issue-token.json');
      make(flow);
      assert(!isValid(flow));
    });
  }
}
