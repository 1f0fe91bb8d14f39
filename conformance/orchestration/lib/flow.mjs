// Flow documents around one `jwt-generator` each.

/** The issuer, the subject and the rows that stand in every token. */
const CLAIMS = {
  iss: 'https://issuer.test/a',
  sub: 'Grüße/ü',
  custom: [
    { key: 'aud', value: '["orders","bills"]', type: 'Array' },
    { key: 'role', value: 'admin' },
    { key: 'level', value: '18446744073709551615', type: 'Number' },
    { key: 'owner', value: ' TRUE ', type: 'Boolean' },
    { key: 'of', value: '{"z":1,"a":[null]}', type: 'Object' },
  ],
};
/** What a token holds that was issued at this second, by contract section 2. */
export const claimsAt = (iat) =>
  `{"iat":${iat},"iss":"https://issuer.test/a","sub":"Grüße/ü","exp":${iat + 600},"aud":["orders","bills"],` +
  '"role":"admin","level":18446744073709551615,"owner":true,"of":{"z":1,"a":[null]}}';

/** A flow that answers `GET /<id>` with its token, or with why there is none. */
export function flow(id, { signature, encryption }) {
  const config = { ttl: 600, claims: CLAIMS, signature, encryption };
  const text = (status, body) => ({ status, body: { text: body } });
  return JSON.stringify({
    format: 'chancery.orchestration/1',
    id,
    category: 'API',
    trigger: { type: 'api', method: 'GET', path: `/${id}`, authentication: 'none' },
    nodes: [
      { id: 's', type: 'start', exits: { Next: 'g' } },
      { id: 'g', type: 'jwt-generator', name: 'G', config, exits: { True: 'e', Failure: 'x' } },
      { id: 'e', type: 'end-success', config: text(200, '{{jwt.token}}') },
      { id: 'x', type: 'end-failure', config: text(422, '{{flow.error.message}}') },
    ],
  });
}
