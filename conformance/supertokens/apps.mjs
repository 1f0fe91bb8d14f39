// Apps and algorithms: each app with keys of its own, and what it has to be given before it signs with it (section 3.2, B-6).

import { calculateJwkThumbprint, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { API_KEY, Core, order } from './lib/core.mjs';
import { assert, close, test } from '../suite.mjs';

const A1_KEY = 'a1a1a1a1a1a1a1a1a1a1a1a1';
const core = await Core.start({
  settings: `[core]
apps = ['a1']
api_keys = ['billing:${API_KEY}', 'a1/shop:${A1_KEY}']
algorithms = ['a1/ES256', 'a1/EdDSA']
rotation_period = ['a1/1h']`,
});
const paths = { public: '', a1: '/appid-a1' };
const keys = { public: API_KEY, a1: A1_KEY };
const keySet = async (app) => JSON.parse((await core.get(`${paths[app]}/.well-known/jwks.json`)).body).keys;
const create = (app, members, key = keys[app]) => core.create(order(members), { 'api-key': key }, `${paths[app]}/recipe/jwt`);

/** The header of a token of this app, verified with the app's own key set. */
async function verified(app, members) {
  const { status, jwt } = JSON.parse((await create(app, members)).body);
  assert.equal(status, 'OK');
  const set = createRemoteJWKSet(new URL(`${core.url}${paths[app]}/.well-known/jwks.json`));
  await jwtVerify(jwt, set);
  return decodeProtectedHeader(jwt);
}

// ST-59: key sets that share nothing, API keys that open one app alone, an interval each (which bounds how long a set may be
// kept: 225 s where keys turn every hour), and an app that is not there.
await test('two apps', async () => {
  const kids = { public: (await keySet('public')).map((key) => key.kid), a1: (await keySet('a1')).map((key) => key.kid) };
  assert.deepEqual([kids.public.length, kids.a1.length], [2, 6]);
  assert.deepEqual(kids.public.filter((kid) => kids.a1.includes(kid)), []);
  const age = async (app) => (await core.get(`${paths[app]}/.well-known/jwks.json`)).headers['cache-control'];
  assert.deepEqual([await age('public'), await age('a1')], ['max-age=600, must-revalidate', 'max-age=225, must-revalidate']);
  for (const [app, other] of [['public', 'a1'], ['a1', 'public']]) {
    assert.ok(kids[app].includes((await verified(app, {})).kid));
    const refused = await create(app, {}, keys[other]);
    assert.deepEqual([refused.status, refused.body], [401, 'Invalid API key\n']);
  }
  const text =
    'AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (, a2, public)\n';
  for (const path of ['/appid-a2/recipe/jwt', '/appid-a2/.well-known/jwks.json', '/appid-a2/hello']) {
    const reply = await core.ask('POST', path);
    assert.deepEqual([reply.status, reply.body], [400, text]);
  }
});

// ST-69: ES256 and EdDSA are unsupported until an app has them; then they verify, and RS256 is as before.
await test('algorithms that an app is given', async () => {
  for (const algorithm of ['ES256', 'EdDSA', 'es256', 'eddsa']) {
    assert.equal((await create('public', { algorithm })).body, '{"status":"UNSUPPORTED_ALGORITHM_ERROR"}\n');
    for (const useStaticSigningKey of [true, false]) {
      const { alg, kid } = await verified('a1', { algorithm, useStaticSigningKey });
      assert.equal(alg.toLowerCase(), algorithm.toLowerCase());
      assert.equal(kid.slice(0, 2), useStaticSigningKey ? 's-' : 'd-');
    }
  }
  for (const app of ['public', 'a1']) assert.equal((await verified(app, {})).alg, 'RS256');
});

// ST-70: each kid is its prefix and the thumbprint of its key.
await test('names of keys', async () => {
  for (const app of ['public', 'a1']) {
    for (const key of await keySet(app)) assert.equal(key.kid.slice(2), await calculateJwkThumbprint(key));
  }
});

await core.stop();
close();
