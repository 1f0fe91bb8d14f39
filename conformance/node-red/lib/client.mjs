//! Sends one request exactly as written and hands back exactly what came.
import http from 'node:http';

/** The authority in every request, so that flows which echo it answer alike on both sides. */
const HOST = 'flows.test';

/**
 * Sends `request` to a loopback port.
 * Answers `{status, headers: [[name, value]], body: Buffer, varies, doneAt}` (`doneAt` in ms),
 * `{unanswered: ms}` after its patience, or `{broken: code}` when the connection fails.
 */
export function send(port, request, patienceMs) {
  return new Promise(resolve => {
    const outgoing = http.request({
      host: '127.0.0.1', port, agent: false, setDefaultHeaders: false, insecureHTTPParser: true,
      method: request.method, path: request.target, headers: rawHeaders(request),
    });
    const timer = setTimeout(() => finish({ unanswered: patienceMs }), patienceMs);
    const finish = outcome => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve(outcome);
    };
    outgoing.on('error', error => finish({ broken: error.code ?? error.message }));
    outgoing.on('response', incoming => {
      const chunks = [];
      incoming.on('data', chunk => chunks.push(chunk));
      incoming.on('error', error => finish({ broken: error.code ?? error.message }));
      incoming.on('end', () => finish({
        status: incoming.statusCode, headers: pairs(incoming.rawHeaders),
        body: Buffer.concat(chunks), varies: request.varies, doneAt: Date.now(),
      }));
    });
    if (request.body && request.chunked) outgoing.write(request.body);
    outgoing.end(request.chunked ? undefined : request.body);
  });
}

function rawHeaders(request) {
  const given = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const headers = given.has('host') ? [] : ['Host', HOST];
  for (const [name, value] of request.headers) headers.push(name, value);
  if (!given.has('connection')) headers.push('Connection', 'close');
  if (request.chunked) headers.push('Transfer-Encoding', 'chunked');
  else if (request.body && !given.has('content-length')) headers.push('Content-Length', String(request.body.length));
  return headers;
}

function pairs(flat) {
  const all = [];
  for (let at = 0; at < flat.length; at += 2) all.push([flat[at], flat[at + 1]]);
  return all;
}
