//! The server outside that flows of the cases ask: it answers by the path, and shows what it was asked.
import http from 'node:http';

/** What each path answers; the first segment names it, the rest are its arguments. */
const ANSWERS = {
  echo: (request, answer, body) => send(answer, 200, 'application/json', JSON.stringify(asked(request, body))),
  text: (request, answer) => send(answer, 200, 'text/plain; charset=utf-8', 'grüße'),
  status: (request, answer, body, [code]) => send(answer, Number(code), 'text/plain', code === '204' ? '' : `status ${code}`),
  json: (request, answer) => send(answer, 200, 'application/json', '{"a":[1,{"b":null}]}'),
  broken: (request, answer) => send(answer, 200, 'application/json', '{"a":'),
  octets: (request, answer) => send(answer, 200, 'application/octet-stream', Buffer.from([0, 255, 1, 254])),
  cookies: (request, answer) => {
    answer.setHeader('Set-Cookie', ['a=1%202; Path=/; HttpOnly', 'b="x"; Max-Age=60', 'broken']);
    answer.setHeader('X-Two', ['1', '2']);
    send(answer, 200, 'text/plain', 'cookies');
  },
  redirect: (request, answer, body, [code, left]) => {
    answer.setHeader('Location', left === '0' ? '/echo' : `/redirect/${code}/${left - 1}`);
    send(answer, Number(code), 'text/plain', 'moved');
  },
  inwards: (request, answer) => {
    answer.setHeader('Location', 'http://127.0.0.1:2/');
    send(answer, 302, 'text/plain', 'moved');
  },
  slow: (request, answer) => { setTimeout(() => send(answer, 200, 'text/plain', 'late'), 1500).unref(); },
  hangup: request => request.socket.destroy(),
  half: (request, answer) => {
    answer.writeHead(200, { 'Content-Length': 100 });
    answer.write('half', () => request.socket.destroy());
  },
  garbage: request => request.socket.end('this is not HTTP\r\n\r\n'),
};

/** Starts it; `origin` is what flows see as CONFORMANCE_UPSTREAM. */
export function startUpstream() {
  return new Promise(resolve => {
    const server = http.createServer((request, answer) => {
      const [, name, ...rest] = request.url.split('?')[0].split('/');
      const chunks = [];
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => {
        answer.sendDate = false;
        (ANSWERS[name] ?? ANSWERS.echo)(request, answer, Buffer.concat(chunks), rest);
      });
    }).listen(0, '127.0.0.1', () => {
      const origin = `http://127.0.0.1:${server.address().port}`;
      resolve({ origin, stop: () => { server.closeAllConnections(); server.close(); } });
    });
  });
}

function send(answer, status, type, body) {
  answer.statusCode = status;
  answer.setHeader('Content-Type', type);
  answer.setHeader('Connection', 'close');
  answer.end(body);
}

// Who asks and how the connection is kept differs from one program to the next, and says nothing about a flow.
function asked(request, body) {
  const headers = Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'user-agent'].includes(name));
  headers.sort(([a], [b]) => (a < b ? -1 : 1));
  const multipart = /boundary=(.*)$/.exec(request.headers['content-type'] ?? '');
  const shown = JSON.stringify({ method: request.method, url: request.url, headers: Object.fromEntries(headers), body: body.toString() });
  return JSON.parse(multipart ? shown.split(multipart[1]).join('BOUNDARY') : shown);
}
