//! Writes an exchange as text: the form of `upstream.txt`, and what the two sides are compared by.
import { createHash } from 'node:crypto';
import { describeToken, findTokens, relativeTimes } from './tokens.mjs';

/** Headers that differ from one answer to the next and say nothing about a flow. */
const UNCOMPARED = new Set(['date', 'connection', 'keep-alive']);
const BODY_SHOWN_MAX_BYTES = 4096;

/** The request half, as the case's author wrote it (`{{names}}` not filled in). */
export function requestText(request) {
  const lines = [`> ${request.method} ${request.target}`];
  for (const [name, value] of request.headers) lines.push(`> ${name}: ${value}`);
  if (request.bodyExpression) lines.push(`> (body: ${request.bodyExpression})`);
  else if (request.body) lines.push(...bodyLines(request.body, '>| '));
  return lines;
}

/** The answer half, with everything that changes by the second or at random named instead of shown. */
export async function answerText(outcome, keys) {
  if (outcome.unanswered) return [`< (no answer within ${outcome.unanswered} ms)`];
  if (outcome.broken) return [`< (connection broken: ${outcome.broken})`];
  const nowSecs = Math.floor(outcome.doneAt / 1000);
  const tokens = findTokens(outcome.body.toString('latin1'));
  const steady = steadyBody(outcome.body, tokens, nowSecs);
  const lines = [`< ${outcome.status}`];
  for (const [name, value] of outcome.headers) {
    if (!UNCOMPARED.has(name.toLowerCase())) lines.push(`< ${name}: ${steadyHeader(name, value, outcome, steady)}`);
  }
  lines.push(...bodyLines(steady, '| '));
  for (const [index, token] of tokens.entries()) {
    const about = await describeToken(token, keys, nowSecs);
    lines.push(...about.map(line => `token ${index + 1}: ${line}`));
  }
  return lines;
}

/** An answer's lines in the form in which they are compared: header names in lower case, sorted. */
export function comparable(lines) {
  const isHeader = line => /^< [^(:]+:/.test(line);
  const name = line => line.slice(0, line.indexOf(':'));
  const headers = lines.filter(isHeader).map(line => line.replace(/^< [^:]+/, text => text.toLowerCase()));
  headers.sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
  const others = lines.filter(line => !isHeader(line));
  return [others[0], ...headers, ...others.slice(1)];
}

function steadyBody(body, tokens, nowSecs) {
  const text = body.toString();
  let steady = relativeTimes(text, nowSecs).replace(/"_msgid":"[0-9a-f]{16}"/g, '"_msgid":"{{16 hex}}"');
  tokens.forEach((token, index) => { steady = steady.replace(token, `{{token ${index + 1}}}`); });
  return steady === text ? body : Buffer.from(steady);
}

// An ETag over a body that changes is checked here against that body, and then only named;
// one whose body was not sent is compared by its length.
function steadyHeader(name, value, outcome, steady) {
  if (name.toLowerCase() === 'set-cookie') return steadyCookie(value, outcome.doneAt);
  if (name.toLowerCase() !== 'etag') return value;
  if (steady !== outcome.body && value === etag(outcome.body)) return '{{of the body}}';
  return outcome.varies ? value.replace(/-[\w+/]{27}"$/, '-{{27 characters}}"') : value;
}

function etag(body) {
  const hash = createHash('sha1').update(body).digest('base64').slice(0, 27);
  return `W/"${body.length.toString(16)}-${hash}"`;
}

function steadyCookie(value, nowMs) {
  const maxAge = /Max-Age=(-?\d+)/.exec(value);
  return value.replace(/Expires=([^;]+)/, (all, date) => {
    const due = maxAge && nowMs + Number(maxAge[1]) * 1000;
    return maxAge && Math.abs(Date.parse(date) - due) <= 2000 ? 'Expires={{now + Max-Age}}' : all;
  });
}

function bodyLines(body, mark) {
  if (!body.length) return [];
  if (body.length > BODY_SHOWN_MAX_BYTES) {
    return [`${mark}(${body.length} bytes, SHA-256 ${createHash('sha256').update(body).digest('hex')})`];
  }
  const text = body.toString();
  const plain = Buffer.from(text).equals(body) && !/[\0-\x08\x0b-\x1f\x7f]/.test(text);
  return plain ? text.split('\n').map(line => mark + line) : [`${mark}(hex) ${body.toString('hex')}`];
}
