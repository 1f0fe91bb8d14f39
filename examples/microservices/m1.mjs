// M1 gets its token from the core when it starts, keeps it in memory, and shows it to M2 with each request.

import supertokens from 'supertokens-node';
import jwt from 'supertokens-node/recipe/jwt/index.js';

const core = process.env.CORE ?? 'http://127.0.0.1:3567';
const m2 = process.env.M2 ?? 'http://127.0.0.1:4002';

supertokens.init({
  // apiDomain is the domain of the address where M2 finds the key set: it becomes `iss`.
  appInfo: { apiDomain: core, appName: 'm1', websiteDomain: 'https://example.com' },
  supertokens: { connectionURI: core, apiKey: process.env.API_KEY },
  recipeList: [jwt.init()],
});

async function createJWT(payload) {
  // `source` comes last, so that nothing in the payload takes its place.
  const response = await jwt.createJWT({ ...payload, source: 'microservice' });
  if (response.status === 'OK') return response.jwt;
  throw new Error('Unable to create JWT. Should never come here.');
}

const token = await createJWT({ sub: 'm1' });

const reply = await fetch(`${m2}/orders`, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ request: 'payload' }),
});
console.log(`M2 answered M1: ${reply.status} ${await reply.text()}`);
process.exitCode = reply.ok ? 0 : 1;
