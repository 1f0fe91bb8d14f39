// Definitions as the two gateways have them, with one operation for each token that is asked for.

/** The two gateway kinds: what a definition says of itself, the policy's version there, and what stands before a token. */
export const GATEWAYS = [
  { name: 'v5', gateway: 'datapower-gateway', version: '1.0.0', prefix: '', hasKid: false },
  { name: 'api', gateway: 'datapower-api-gateway', version: '2.0.0', prefix: 'Bearer ', hasKid: true },
];

export const CLAIMS = { iss: 'https://issuer.test/a', sub: 'Grüße/ü', aud: ['orders', 'bills'], role: 'admin' };

/** The `jwt-generate` blocks by their paths, behind one `operation-switch`; `properties` are texts or objects. */
export function definition(kind, blocks, properties) {
  const paths = Object.keys(blocks);
  const value = (text) => ({ value: typeof text === 'string' ? text : JSON.stringify(text) });
  const one = (path) => ({
    operations: [{ verb: 'get', path }],
    execute: [{ 'jwt-generate': generate(kind, blocks[path]) }],
  });
  return JSON.stringify({
    swagger: '2.0',
    info: { title: kind.name, version: '1.0.0', 'x-ibm-name': kind.name },
    basePath: `/${kind.name}`,
    host: '$(catalog.host)',
    schemes: ['https'],
    paths: Object.fromEntries(paths.map((path) => [path, { get: {} }])),
    'x-ibm-configuration': {
      gateway: kind.gateway,
      phase: 'realized',
      properties: Object.fromEntries(Object.entries(properties).map(([name, text]) => [name, value(text)])),
      assembly: { execute: [{ 'set-variable': { actions: claims() } }, { 'operation-switch': { case: paths.map(one) } }] },
    },
  });
}

function claims() {
  return [
    { set: 'iss.claim', value: CLAIMS.iss },
    { set: 'sub.claim', value: CLAIMS.sub },
    { set: 'aud.claim', value: CLAIMS.aud.join(',') },
    { set: 'private.claims', value: JSON.stringify({ role: CLAIMS.role }) },
  ];
}

function generate(kind, block) {
  return {
    title: 'jwt-generate',
    version: kind.version,
    jwt: 'message.body',
    'iss-claim': 'iss.claim',
    'sub-claim': 'sub.claim',
    'aud-claim': 'aud.claim',
    'exp-claim': 600,
    'private-claims': 'private.claims',
    ...block,
  };
}
