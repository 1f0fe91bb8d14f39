// The unmodified SDKs against the core listener, with their own requests (docs/contracts/supertokens.md section 2).

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { API_KEY, Core } from './lib/core.mjs';
import { MAJORS, Sdk } from './lib/sdk.mjs';
import { assert, close, test } from '../suite.mjs';

const core = await Core.start();
const keys = createRemoteJWKSet(new URL(`${core.url}/.well-known/jwks.json`));
const kid = (token) => decodeProtectedHeader(token).kid;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `body` with an SDK that is initialised so. */
async function using(name, options, body) {
  const sdk = await Sdk.start(name, { connectionURI: core.url, apiKey: API_KEY, ...options });
  try {
    return await body(sdk);
  } finally {
    sdk.stop();
  }
}

async function token(sdk, ...args) {
  const { status, jwt } = await sdk.createJWT(...args);
  assert.equal(status, 'OK');
  return jwt;
}

// ST-01: the first call of a process asks for the versions, then for the token.
await test('the first call', async () => {
  const before = core.requests().length;
  await using('st24', {}, async (sdk) => {
    assert.match(await token(sdk, { sub: 'u1' }), /^[\w-]+\.[\w-]+\.[\w-]+$/);
    await token(sdk, {});
  });
  const asked = core.requests().slice(before);
  assert.deepEqual(asked, ['GET /apiversion', 'POST /recipe/jwt', 'POST /recipe/jwt']);
});

// ST-02: SDK 13.6.1, 14.1.4, 16.7.6, 20.1.7, 23.1.0 and 24 each create a token and fetch the key set.
for (const name of Object.keys(MAJORS)) {
  await test(`${name} creates a token and fetches the key set`, () =>
    using(name, {}, async (sdk) => {
      const { payload } = await jwtVerify(await token(sdk, { sub: name }), keys, { algorithms: ['RS256'], typ: 'JWT' });
      assert.equal(payload.sub, name);
      const set = await sdk.call('getJWKS');
      assert.deepEqual(set.keys.map((key) => key.kid.slice(0, 2)), ['d-', 's-']);
    }));
}

await using('st24', {}, async (sdk) => {
  // ST-03: the default lifetime, one that is given, and one that is over soon.
  await test('lifetimes', async () => {
    for (const [asked, expected] of [[undefined, 3_153_600_000], [3600, 3600], [1, 1]]) {
      const jwt = await token(sdk, {}, asked);
      const { iat, exp } = decodeJwt(jwt);
      assert.equal(exp - iat, expected);
      if (asked === 1) {
        await pause(2_200);
        await assert.rejects(jwtVerify(jwt, keys), { code: 'ERR_JWT_EXPIRED' });
      }
    }
  });

  // ST-05: which key signs.
  await test('static and dynamic keys', async () => {
    assert.match(kid(await token(sdk, {}, 60, false)), /^d-/);
    for (const wish of [undefined, true, 0, null]) {
      assert.match(kid(await token(sdk, {}, 60, wish)), /^s-/, `${wish}`);
    }
  });

  // ST-06: what stands in a token that nobody gave claims.
  await test('no claims', async () => {
    for (const args of [[], [null], [{}]]) {
      assert.deepEqual(Object.keys(decodeJwt(await token(sdk, ...args))), ['iat', 'exp', 'iss']);
    }
  });

  const refusals = [
    // ST-07: a payload that is no object.
    ...['x', [1, 2], 42].map((payload) => [[payload], "Field name 'payload' is invalid in JSON input"]),
    // ST-08: a lifetime of nothing or less.
    ...[0, -3600].map((secs) => [[{}, secs], 'validity must be greater than or equal to 0']),
    // ST-09: a lifetime that JSON cannot hold.
    ...[NaN, Infinity].map((secs) => [[{}, secs], "Field name 'validity' is invalid in JSON input"]),
  ];
  for (const [args, text] of refusals) {
    await test(`refusal of ${args}`, () =>
      assert.rejects(sdk.createJWT(...args), (error) => {
        const told = 'SuperTokens core threw an error for a POST request to path';
        assert.equal(error.message, `${told}: '/recipe/jwt' with status code: 400 and message: ${text}\n`);
        return true;
      }));
  }

  // ST-14: a connection that rested for 5.5 s is still there.
  await test('a call after an idle time', async () => {
    await token(sdk, {});
    await pause(5_500);
    await token(sdk, {});
  });

  // ST-15: 50 calls at once, half of them with the dynamic key, each with its own payload.
  await test('parallel calls', async () => {
    const calls = Array.from({ length: 50 }, (_, at) => token(sdk, { at }, 60, at % 2 === 0 ? undefined : false));
    for (const [at, jwt] of (await Promise.all(calls)).entries()) {
      const { payload, protectedHeader } = await jwtVerify(jwt, keys);
      assert.equal(payload.at, at);
      assert.equal(protectedHeader.kid.slice(0, 2), at % 2 === 0 ? 's-' : 'd-');
    }
  });

  // ST-17: the key set, and how long the SDK keeps it.
  await test('the key set', async () => {
    const set = await sdk.call('getJWKS');
    const { headers } = await core.get('/.well-known/jwks.json');
    assert.equal(`max-age=${set.validityInSeconds}, must-revalidate`, headers['cache-control']);
    assert.ok(set.keys.length > 0);
  });

  // ST-18: the SDK's own route for the key set.
  await test('the key set of the application', async () => {
    const reply = await fetch(`${await sdk.call('serve')}/auth/jwt/jwks.json`);
    assert.deepEqual(Object.keys(await reply.json()), ['keys']);
    assert.equal(reply.headers.get('access-control-allow-origin'), '*');
    const [, secs] = /^max-age=(\d+), must-revalidate$/.exec(reply.headers.get('cache-control'));
    assert.ok(Number(secs) >= 60);
  });
});

// ST-04: a default lifetime of the SDK's own.
await test('jwtValiditySeconds', () =>
  using('st24', { jwtSettings: { jwtValiditySeconds: 1000 } }, async (sdk) => {
    for (const [asked, expected] of [[undefined, 1000], [500, 500]]) {
      const { iat, exp } = decodeJwt(await token(sdk, {}, asked));
      assert.equal(exp - iat, expected);
    }
  }));

// ST-10: an algorithm that is not enabled is an answer, not an error.
await test('another algorithm', () =>
  using('st24', { force: { algorithm: 'RS512' } }, async (sdk) => {
    assert.deepEqual(await sdk.createJWT({}), { status: 'UNSUPPORTED_ALGORITHM_ERROR' });
  }));

// ST-11: the issuer is the API domain without its path.
await test('the issuer', () =>
  using('st24', { apiDomain: 'http://localhost:3001/path' }, async (sdk) => {
    assert.equal(decodeJwt(await token(sdk, {})).iss, 'http://localhost:3001');
  }));

// ST-12: the ends that a connectionURI may have.
for (const end of ['/', '/appid-public', '/public', '/appid-public/public']) {
  await test(`a connectionURI that ends in ${end}`, () =>
    using('st24', { connectionURI: `${core.url}${end}` }, async (sdk) => {
      await token(sdk, {});
      assert.ok((await sdk.call('getJWKS')).keys.length > 0);
    }));
}

// ST-16: an API key that is not one.
for (const apiKey of [undefined, 'wrong-wrong-wrong-wrong', API_KEY.slice(0, -1)]) {
  await test(`the API key ${apiKey}`, () =>
    using('st24', { apiKey }, (sdk) =>
      assert.rejects(sdk.createJWT({}), (error) => {
        assert.match(error.message, /GET request to path: '\/apiversion' with status code: 401 and message: Invalid API key\n$/);
        return true;
      })));
}

// ST-19: the session recipe's own calls.
await test('the session recipe', () =>
  using('st24', { withSession: true }, async (sdk) => {
    const { status, jwt } = await sdk.call('sessionCreateJWT', { sub: 'u1' });
    assert.equal(status, 'OK');
    const { payload } = await jwtVerify(jwt, keys, { issuer: 'https://api.example.com/auth' });
    assert.equal(payload.sub, 'u1');
    assert.ok((await sdk.call('sessionGetJWKS')).keys.length > 0);
  }));

await core.stop();
close();
