// Plain HTTP against the core listener: statuses and bodies to the letter (docs/contracts/supertokens.md section 3).

import { decodeJwt, decodeProtectedHeader } from 'jose';
import { API_KEY, Core, order, part } from './lib/core.mjs';
import { assert, close, test } from '../suite.mjs';

const OTHER_KEY = 'ZYXWVUTSRQPONMLKJIHG=-0123';
const core = await Core.start({ settings: `core.api_keys = ['billing:${API_KEY}', '${OTHER_KEY}']` });
const KEYED = { 'api-key': API_KEY };
const INVALID_VERSION = 'cdi-version header is invalid';
const field = (name) => `Field name '${name}' is invalid in JSON input`;
const unsupported = (version) => `cdi-version ${version} not supported`;

/** A refusal: plain text, exactly this line and its line feed. */
function refused(reply, status, text) {
  assert.deepEqual([reply.status, reply.body], [status, `${text}\n`]);
  assert.match(reply.headers['content-type'], /^text\//);
}

/** The token of a success, whose body holds nothing else. */
function created(reply) {
  assert.equal(reply.status, 200, reply.body);
  assert.match(reply.headers['content-type'], /^application\/json/);
  const body = JSON.parse(reply.body);
  assert.deepEqual(Object.keys(body), ['status', 'jwt']);
  assert.equal(body.status, 'OK');
  return body.jwt;
}

const claims = async (payload, members) => part(created(await core.create(order({ payload, ...members }))), 1);
const kid = async (members, version) =>
  decodeProtectedHeader(created(await core.create(order(members), { ...KEYED, 'cdi-version': version }))).kid;

// ST-21: the header has its three members and no other; ST-22: in the vendor's order, as the first claims are.
await test('the order of members', async () => {
  const token = created(await core.create(order({ payload: { z: 1, sub: 'u' } })));
  assert.match(part(token, 0), /^\{"kid":"s-[\w-]{43}","typ":"JWT","alg":"RS256"\}$/);
  assert.match(part(token, 1), /^\{"iat":\d+,"exp":\d+,"iss":"https:\/\/api\.example\.com","z":1,"sub":"u"\}$/);
});

// ST-23: `iss` is the domain unless the payload has one, even null.
await test('the issuer', async () => {
  assert.match(await claims({}), /,"iss":"https:\/\/api\.example\.com"\}$/);
  assert.match(await claims({ iss: 'https://api.example.com/auth' }), /,"iss":"https:\/\/api\.example\.com\/auth"\}$/);
  assert.match(await claims({ iss: null }), /,"iss":null\}$/);
});

// ST-24: nothing is reserved.
await test('registered claims of the payload', async () => {
  const payload = { iat: 1, exp: 2, iss: 'i', nbf: 3, sub: 's', aud: 'a', jti: 'j' };
  assert.equal(await claims(payload), JSON.stringify(payload));
});

// ST-25: the instant of minting and the lifetime, beyond 32 bits.
await test('times', async () => {
  const { iat, exp } = decodeJwt(created(await core.create(order({ validity: 3_153_600_000 }))));
  assert.ok(Math.abs(iat - Date.now() / 1000) <= 1.5, `${iat}`);
  assert.equal(exp - iat, 3_153_600_000);
  assert.ok(Number.isInteger(iat) && exp > 2 ** 32);
});

// ST-26: whatever JSON can hold survives.
await test('values of every kind', async () => {
  const payload = {
    none: null, empty: '', list: [], map: {}, deep: { a: [{ b: [null, { c: true }] }] }, '': 'empty name', 'odd "name"\n': 1,
    __proto__x: 1, text: 'ü € 😀 \u0000 \u2028 "\\', large: Number.MAX_SAFE_INTEGER, small: -Number.MAX_SAFE_INTEGER, half: 0.5,
  };
  const { iat, exp, iss, ...rest } = JSON.parse(await claims(payload));
  assert.deepEqual(rest, payload);
  assert.deepEqual(Object.keys(rest), Object.keys(payload));
});

// ST-27: larger numbers keep their literal.
await test('numbers beyond what doubles hold', async () => {
  const numbers = '[1e21,123456789012345678901234567890,1.10,-0]';
  const body = JSON.stringify(order({ payload: { n: 'N' } })).replace('"N"', numbers);
  assert.ok(part(created(await core.create(body)), 1).endsWith(`"n":${numbers}}`));
});

// ST-28: audiences.
await test('audiences', async () => {
  assert.match(await claims({ aud: ['x'] }), /"aud":"x"\}$/);
  assert.match(await claims({ aud: ['x', 'y'] }), /"aud":\["x","y"\]\}$/);
  assert.doesNotMatch(await claims({ aud: [] }), /aud/);
});

// ST-29: a large claim works, a body beyond the limit is refused in plain text.
await test('sizes', async () => {
  const large = 'x'.repeat(65_536);
  assert.equal(JSON.parse(await claims({ large })).large, large);
  const whole = JSON.stringify(order({ payload: { p: '' } })).length;
  const sized = (octets) => core.create(order({ payload: { p: 'x'.repeat(octets - whole) } }));
  created(await sized(1_048_576));
  refused(await sized(1_048_577), 413, 'Request body too large');
});

// ST-31: nothing but the key and the body is needed.
await test('a bare request', async () => {
  const body = JSON.stringify(order());
  const reply = await core.raw(
    `POST /recipe/jwt HTTP/1.1\r\nHost: x\r\nConnection: close\r\napi-key: ${API_KEY}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assert.match(reply, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(reply, /\r\ncontent-type: application\/json; charset=UTF-8\r\n/);
  assert.match(reply, /\r\n\r\n\{"status":"OK","jwt":"[\w.-]+"\}\n$/);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8']) {
    created(await core.create(body, { ...KEYED, 'content-type': type, rid: 'jwt' }));
  }
});

// ST-32: which key signs, by version.
await test('the kind of key', async () => {
  for (const version of ['2.9', '2.20', '2.21', '3.0', '4.0', '5.4']) {
    assert.match(await kid({}, version), /^s-/, version);
    assert.match(await kid({ useStaticSigningKey: true }, version), /^s-/, version);
    const dynamic = version === '2.9' || version === '2.20' ? /^s-/ : /^d-/;
    assert.match(await kid({ useStaticSigningKey: false }, version), dynamic, version);
  }
});

// ST-33: names of algorithms.
await test('algorithms', async () => {
  const lower = created(await core.create(order({ algorithm: 'rs256' })));
  assert.equal(decodeProtectedHeader(lower).alg, 'RS256');
  for (const algorithm of ['rs512', 'HS256', 'none', '', 'RS256 ', 'ES256', 'EdDSA']) {
    const reply = await core.create(order({ algorithm }));
    assert.deepEqual([reply.status, reply.body], [200, '{"status":"UNSUPPORTED_ALGORITHM_ERROR"}\n'], algorithm);
  }
});

// ST-34: the first member that is missing, null or of another kind is named.
await test('members that are not as they must be', async () => {
  const names = ['algorithm', 'jwksDomain', 'payload', 'validity'];
  const wrong = { algorithm: [1, true, {}, []], jwksDomain: [1, false, {}], payload: ['x', [1, 2], 42, true], validity: [true, {}, 'x'] };
  for (const [at, name] of names.entries()) {
    for (const value of [undefined, null, ...wrong[name]]) {
      refused(await core.create(order({ [name]: value })), 400, field(name));
      const later = Object.fromEntries(names.slice(at).map((other) => [other, value]));
      refused(await core.create(order(later)), 400, field(name));
    }
  }
});

// ST-35: the kind of key is looked at after the lifetime.
await test('useStaticSigningKey', async () => {
  for (const useStaticSigningKey of ['true', '', null]) {
    refused(await core.create(order({ useStaticSigningKey })), 400, field('useStaticSigningKey'));
    refused(await core.create(order({ useStaticSigningKey, validity: 0 })), 400, 'validity must be greater than or equal to 0');
    refused(await core.create(order({ useStaticSigningKey, algorithm: 'RS512' })), 400, field('useStaticSigningKey'));
  }
});

// ST-36: what is no JSON object.
await test('bodies that are none', async () => {
  for (const body of ['{', '[]', '"x"', 'nope', '', 'null', '[{}]', '{}{}', '\ufeff{}']) {
    refused(await core.create(body), 400, 'Invalid Json Input');
  }
  refused(await core.ask('POST', '/recipe/jwt', { headers: KEYED }), 400, 'Invalid Json Input');
});

// ST-37: lifetimes that are not whole.
await test('lifetimes that are not whole', async () => {
  for (const [validity, expected] of [[10.9, 10], ['1000', 1000], [1e3, 1000]]) {
    const { iat, exp } = decodeJwt(created(await core.create(order({ validity }))));
    assert.equal(exp - iat, expected);
  }
  refused(await core.create(order({ validity: 0.5 })), 400, 'validity must be greater than or equal to 0');
});

// ST-38: members that nobody knows are ignored.
await test('unknown members', async () => created(await core.create(order({ x: 1, recipe: { validity: 0 } }))));

// ST-39: where Chancery is stricter than upstream.
await test('stricter than upstream', async () => {
  for (const useStaticSigningKey of [0, 1]) {
    refused(await core.create(order({ useStaticSigningKey })), 400, field('useStaticSigningKey'));
  }
  refused(await core.create('{"algorithm":"RS256","algorithm":"RS256"}'), 400, 'Invalid Json Input');
  refused(await core.create(order({ algorithm: ['RS256'] })), 400, field('algorithm'));
  refused(await core.create(order({ validity: 2 ** 53 - 1 })), 400, field('validity'));
});

// ST-40: every refusal is one line of plain text and its line feed; `refused` above holds all others to it, too.
await test('the form of refusals', async () => {
  const reply = await core.get('/nowhere/at/all');
  refused(reply, 404, 'Not found');
  assert.equal(reply.headers['content-type'], 'text/plain; charset=UTF-8');
  assert.equal(reply.headers['x-content-type-options'], 'nosniff');
  assert.equal(reply.headers['content-length'], '10');
});

const keySet = async () => JSON.parse((await core.get('/.well-known/jwks.json')).body);

// ST-41: the key set is for everybody.
await test('the key set without a key', async () => {
  const reply = await core.get('/.well-known/jwks.json');
  assert.equal(reply.status, 200);
  assert.deepEqual(Object.keys(JSON.parse(reply.body)), ['keys']);
});

// ST-42: a fresh app has one key of each kind before its first token, and tokens add none.
await test('the keys of a fresh app', async () => {
  const fresh = await Core.start();
  const kids = async () => JSON.parse((await fresh.get('/.well-known/jwks.json')).body).keys.map((key) => key.kid);
  const before = await kids();
  assert.deepEqual(before.map((name) => name.slice(0, 2)), ['d-', 's-']);
  for (const useStaticSigningKey of [true, false, true, false]) created(await fresh.create(order({ useStaticSigningKey })));
  assert.deepEqual(await kids(), before);
  await fresh.stop();
});

// ST-43: a key has six members, at least 2048 bits, and no superfluous octet.
await test('the form of keys', async () => {
  for (const key of (await keySet()).keys) {
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
    assert.deepEqual([key.kty, key.alg, key.use], ['RSA', 'RS256', 'sig']);
    for (const text of [key.n, key.e]) {
      assert.match(text, /^[\w-]+$/);
      assert.notEqual(Buffer.from(text, 'base64url')[0], 0);
    }
    assert.ok(Buffer.from(key.n, 'base64url').length >= 256);
  }
});

// ST-45: how long the set may be kept: the default is 600 s, and half the lead is 12 h.
await test('the age of the key set', async () => {
  const { headers } = await core.get('/.well-known/jwks.json');
  assert.equal(headers['cache-control'], 'max-age=600, must-revalidate');
  assert.equal(headers['access-control-allow-origin'], '*');
});

// ST-47: the key set of old SDKs.
await test('the key set of old SDKs', async () => {
  refused(await core.get('/recipe/jwt/jwks'), 401, 'Invalid API key');
  const reply = await core.get('/recipe/jwt/jwks', KEYED);
  const { keys, status, ...rest } = JSON.parse(reply.body);
  assert.deepEqual([reply.status, status, rest], [200, 'OK', {}]);
  assert.deepEqual({ keys }, await keySet());
  assert.doesNotMatch(reply.headers['cache-control'] ?? '', /max-age/);
});

// ST-49: the key comes before everything but the path.
await test('no key or a wrong one', async () => {
  for (const key of [{}, { 'api-key': 'wrong-wrong-wrong-wrong' }, { 'api-key': '' }, { authorization: 'Bearer x' }]) {
    for (const [method, path] of [['POST', '/recipe/jwt'], ['GET', '/recipe/jwt/jwks'], ['GET', '/apiversion']]) {
      refused(await core.ask(method, path, { headers: key }), 401, 'Invalid API key');
      refused(await core.ask('PATCH', path, { headers: { ...key, 'cdi-version': 'abc' } }), 401, 'Invalid API key');
    }
  }
  const token = created(await core.create(order()));
  refused(await core.create(order(), { authorization: `Bearer ${token}` }), 401, 'Invalid API key');
});

// ST-50: every key, in every form in which it may be shown.
await test('keys that pass', async () => {
  for (const key of [API_KEY, OTHER_KEY]) {
    for (const headers of [
      { 'api-key': key }, { 'api-key': `  ${key} ` }, { authorization: key }, { authorization: `Bearer ${key}` },
      { authorization: `bEaReR ${key}` }, { authorization: ` Bearer   ${key} ` },
    ]) {
      created(await core.create(order(), headers));
    }
  }
});

// ST-51: a wrong `api-key` is not mended by a right `Authorization`.
await test('two keys', async () => {
  const headers = { 'api-key': 'wrong-wrong-wrong-wrong', authorization: `Bearer ${API_KEY}` };
  refused(await core.create(order(), headers), 401, 'Invalid API key');
});

// ST-52: keys of a wrong form stop the start.
await test('keys of a wrong form', async () => {
  const short = 'One of the API keys is too short. Please use at least 20 characters';
  const invalid = "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)";
  assert.match(await Core.refused(`core.api_keys = ['${API_KEY}', 'tiny']`), new RegExp(short.replaceAll('.', '\\.')));
  assert.ok((await Core.refused('', { API_KEYS: `${API_KEY},with_underscore_and_more` })).includes(invalid));
});

// ST-53: without a key no spelling of a path yields a token.
await test('spellings of paths', async () => {
  const body = JSON.stringify(order());
  const paths = [
    '/recipe/jwt', '/recipe/jwt/', '/RECIPE/JWT', '/public/recipe/jwt', '/appid-public/recipe/jwt', '/appid-public/public/recipe/jwt',
    '/t1/recipe/jwt', '//recipe/jwt', '/recipe//jwt', '/recipe/jwt//', '/recipe/jwt;x', '/recipe;x/jwt', '/recipe/jw%74',
    '/recipe/%6awt', '/%72ecipe/jwt', '/recipe/./jwt', '/./recipe/jwt', '/x/../recipe/jwt', '/recipe/jwt/..', '/recipe/jwt/.',
    '/hello/../recipe/jwt', '/.well-known/../recipe/jwt', '/.well-known/jwks.json/../../recipe/jwt', '/recipe%2fjwt',
    '/recipe/jwt%00', '/recipe/jwt%20', '/recipe/jwt?api-key=x', '/recipe/jwt#x', '/appid-/recipe/jwt', '/hello/recipe/jwt',
    '\\recipe\\jwt', '/recipe\\jwt', 'http://x/recipe/jwt', '*', '/recipe/jwt/jwks', '/recipe/jwt/jwks/..', '/appid-public//recipe/jwt',
  ];
  for (const path of paths) {
    for (const version of ['', 'cdi-version: 4.0\r\n']) {
      const reply = await core.raw(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${version}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      assert.doesNotMatch(reply, /"jwt"/, path);
      assert.match(reply, /^HTTP\/1\.1 (400|401|404) /, path);
    }
  }
});

// ST-54: the versions, whatever is told about domains. Nothing is stored of them, so no store can fail.
await test('the versions', async () => {
  const expected = [
    ...Array.from({ length: 15 }, (_, at) => `2.${at + 7}`), '3.0', '3.1', '4.0',
    ...Array.from({ length: 7 }, (_, at) => `5.${at}`),
  ];
  for (const query of ['', '?apiDomain=https%3A%2F%2Fa.example&websiteDomain=x', '?apiDomain=%ff%00', `?apiDomain=${'x'.repeat(4000)}`]) {
    const reply = await core.get(`/apiversion${query}`, KEYED);
    assert.equal(reply.status, 200);
    assert.match(reply.headers['content-type'], /^application\/json/);
    assert.deepEqual(JSON.parse(reply.body), { versions: expected });
  }
});

// ST-55: versions that are none, and versions that are not spoken.
await test('versions that are refused', async () => {
  for (const version of ['abc', '2.x', '1..0']) {
    refused(await core.create(order(), { ...KEYED, 'cdi-version': version }), 400, INVALID_VERSION);
    refused(await core.get('/.well-known/jwks.json', { 'cdi-version': version }), 400, INVALID_VERSION);
  }
  for (const version of ['234243', '1.0', '2.6', '5.7']) {
    refused(await core.create(order(), { ...KEYED, 'cdi-version': version }), 400, unsupported(version));
  }
});

// ST-56: configured bounds.
await test('bounds on versions', async () => {
  const bounded = await Core.start({ settings: "core.cdi_min = '3.0'\ncore.cdi_max = '5.2'" });
  const version = (sent) => bounded.create(order(), { 'cdi-version': sent });
  refused(await version('2.21'), 400, 'cdi-version 2.21 is lower than the minimum allowed version 3.0');
  refused(await version('5.3'), 400, unsupported('5.3'));
  created(await version('5.2'));
  assert.equal(JSON.parse((await bounded.get('/apiversion')).body).versions.at(-1), '5.2');
  await bounded.stop();
});

// ST-57: paths and methods that nothing answers.
await test('unknown paths and methods', async () => {
  for (const path of ['/recipe/session', '/recipe/jwt/x', '/users', '/metrics', '/favicon.ico', '/health/live']) {
    refused(await core.get(path, KEYED), 404, 'Not found');
    refused(await core.get(path), 404, 'Not found');
  }
  for (const [method, path] of [['GET', '/recipe/jwt'], ['PUT', '/recipe/jwt'], ['POST', '/apiversion'], ['POST', '/.well-known/jwks.json']]) {
    refused(await core.ask(method, path, { headers: KEYED }), 405, 'Method not supported');
  }
});

// ST-58: slashes at the end, capitals, and the greeting.
await test('other spellings that work', async () => {
  created(await core.create(order(), KEYED, '/recipe/jwt/'));
  created(await core.create(order(), KEYED, '/Recipe/JWT'));
  for (const path of ['/hello', '/', '/hello/', '/HELLO', '/appid-public', '/appid-public/hello', '/public/hello', '/t1/hello']) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const reply = await core.ask(method, path);
      assert.deepEqual([reply.status, reply.body], [200, 'Hello\n'], `${method} ${path}`);
    }
  }
});

// ST-60: what belongs to the app, asked of a tenant.
await test('tenants', async () => {
  const asked = (version) => core.create(order(), version ? { ...KEYED, 'cdi-version': version } : KEYED, '/t1/recipe/jwt');
  refused(await asked('2.21'), 404, 'Not found');
  for (const version of ['3.0', '4.0']) created(await asked(version));
  for (const version of ['5.0', '5.4', undefined]) {
    refused(await asked(version), 403, 'Only public tenantId can call this app specific API');
  }
  refused(await core.get('/t1/apiversion', KEYED), 403, 'Only public tenantId can call this app specific API');
  assert.equal((await core.get('/t1/.well-known/jwks.json')).status, 200);
  // The tenant is looked at after the body.
  refused(await core.create('{', KEYED, '/t1/recipe/jwt'), 400, 'Invalid Json Input');
});

await core.stop();
close();
