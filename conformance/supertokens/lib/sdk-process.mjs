// Drives one SDK for its parent: `init` first, then any of the calls below.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import express from 'express';

const load = createRequire(import.meta.url);
const name = process.argv[2];
const supertokens = load(name);
const jwt = load(`${name}/recipe/jwt`);
const session = load(`${name}/recipe/session`);
const framework = load(`${name}/framework/express`);

const calls = {
  /** `force`: members that every request body gets on its way out, by the SDK's own interceptor. */
  init({ connectionURI, apiKey, apiDomain = 'https://api.example.com', jwtSettings, withSession = false, force }) {
    const networkInterceptor = force && ((request) => ({ ...request, body: { ...request.body, ...force } }));
    supertokens.init({
      appInfo: { apiDomain, appName: 'conformance', websiteDomain: 'https://example.com' },
      supertokens: { connectionURI, apiKey, networkInterceptor },
      recipeList: [jwt.init(jwtSettings), ...(withSession ? [session.init()] : [])],
    });
  },
  createJWT: (...args) => jwt.createJWT(...args),
  getJWKS: () => jwt.getJWKS(),
  sessionCreateJWT: (...args) => session.createJWT(...args),
  sessionGetJWKS: () => session.getJWKS(),
  /** An application with the SDK's middleware; gives its address. */
  serve() {
    const app = express();
    app.use(framework.middleware());
    app.use(framework.errorHandler());
    return new Promise((resolve) => {
      const server = createServer(app).listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
    });
  },
};

process.on('message', async ({ id, what, args }) => {
  try {
    process.send({ id, value: await calls[what](...args) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on('disconnect', () => process.exit());
