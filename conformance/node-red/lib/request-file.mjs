//! Reads `requests.http`: the requests of a case, in the order in which they are sent.
//
// ### Title of the request
// # @directive argument            (see DIRECTIVES)
// GET /path?query
// Header: value
//
// body, up to the next `###`
import zlib from 'node:zlib';

/** What a request may ask of the runner. Each takes the rest of its line. */
const DIRECTIVES = {
  // `# @token NAME {json}`: makes a token (lib/tokens.mjs) and keeps it as {{NAME}}.
  token: (request, text) => request.tokens.push(namedJson(text)),
  // `# @capture NAME member`: keeps a member of the JSON answer as {{NAME}}, each side its own.
  capture: (request, text) => request.captures.push(text.split(/\s+/)),
  // `# @body expression`: a JavaScript expression that gives text or a Buffer.
  body: (request, text) => { request.bodyExpression = text; },
  // `# @chunked`: the body goes out in chunks, without a Content-Length.
  chunked: request => { request.chunked = true; },
  // `# @patience ms`: how long an answer is waited for before it counts as none.
  patience: (request, text) => { request.patienceMs = Number(text); },
  // `# @varies`: for HEAD: the body would differ each time, so its ETag is compared by length.
  varies: request => { request.varies = true; },
  // `# @alongside`: the next request does not wait for this one's answer.
  alongside: request => { request.alongside = true; },
  // `# @pause ms`: waits before sending.
  pause: (request, text) => { request.pauseMs = Number(text); },
};

/** Every request of the file's text. */
export function parseRequests(text) {
  return text.split(/^### /m).slice(1).map(parseRequest);
}

function parseRequest(block) {
  const lines = block.split('\n');
  const request = { title: lines.shift().trim(), tokens: [], captures: [], headers: [], body: null };
  while (/^(#|\s*$)/.test(lines[0])) directive(request, lines.shift());
  const start = lines.shift();
  const space = start.indexOf(' ');
  request.method = start.slice(0, space);
  request.target = start.slice(space + 1);
  while (lines.length && lines[0] !== '') request.headers.push(header(lines.shift()));
  const body = lines.slice(1).join('\n').replace(/\n+$/, '');
  if (request.bodyExpression) request.body = evaluate(request.bodyExpression);
  else if (body) request.body = Buffer.from(body);
  return request;
}

function directive(request, line) {
  const found = /^# @([a-z]+)\s*(.*)$/.exec(line);
  if (!found) return;
  const read = DIRECTIVES[found[1]];
  if (!read) throw new Error(`${request.title}: unknown directive @${found[1]}`);
  read(request, found[2]);
}

function namedJson(text) {
  const space = text.indexOf(' ');
  return [text.slice(0, space), JSON.parse(text.slice(space))];
}

function header(line) {
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error(`not a header: ${line}`);
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function evaluate(expression) {
  return Buffer.from(new Function('zlib', `return (${expression});`)(zlib));
}
