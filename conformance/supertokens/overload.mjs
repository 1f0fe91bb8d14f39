// More signatures at once than may wait: some are told to come back, and the SDK does (section 7, B-13).

import { connect } from 'node:http2';
import { API_KEY, Core, order } from './lib/core.mjs';
import { Sdk } from './lib/sdk.mjs';
import { assert, close, test } from '../suite.mjs';

const CONNECTIONS = 30;
const STREAMS = 50;
const core = await Core.start();
const sdk = await Sdk.start('st24', { connectionURI: core.url, apiKey: API_KEY });
await sdk.createJWT({});

function ask(session) {
  return new Promise((resolve, reject) => {
    const request = session.request({ ':method': 'POST', ':path': '/recipe/jwt', 'api-key': API_KEY });
    request.on('response', (headers) => resolve(headers[':status']));
    request.on('error', reject);
    request.resume();
    request.end(JSON.stringify(order()));
  });
}

// ST-72: overload gives 429, and a call of the SDK in the midst of it succeeds.
await test('overload', async () => {
  const sessions = Array.from({ length: CONNECTIONS }, () => connect(core.url));
  const flood = Promise.all(sessions.flatMap((session) => Array.from({ length: STREAMS }, () => ask(session))));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const call = sdk.createJWT({});
  const statuses = await flood;
  const count = (status) => statuses.filter((other) => other === status).length;
  assert.ok(count(429) > 0, 'nobody was told to come back');
  assert.equal(count(200) + count(429), statuses.length);
  assert.equal((await call).status, 'OK');
  sessions.forEach((session) => session.close());
});

sdk.stop();
await core.stop();
close();
