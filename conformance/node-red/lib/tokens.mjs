//! Makes tokens for requests, finds tokens in answers, and checks them with libraries of neither side.
import { createHmac } from 'node:crypto';
import { compactVerify, importSPKI } from 'jose';

const HMAC = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };
const TIMES = /"(exp|iat|nbf)":(-?\d+)(?=[,}])/g;
const FAR_SECS = 10 * 365 * 86400;
const COMPACT = /eyJ[\w-]*\.[\w-]*\.[\w-]*/g;

/**
 * Makes a token by recipe: `{header?, claims, secret?, change?}`.
 * A claim or header value `"now+60"` becomes a NumericDate; without `secret` the third part is empty;
 * `claims` given as text is taken as the payload's octets; `change` swaps the character at that index.
 */
export function makeToken({ header = { alg: 'HS256', typ: 'JWT' }, claims, secret, change }) {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(atTimes(claims));
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  const hash = HMAC[header.alg] ?? 'sha256';
  const signature = secret === undefined ? '' : createHmac(hash, secret).update(input).digest('base64url');
  const token = `${input}.${signature}`;
  return change === undefined ? token : changed(token, change);
}

function atTimes(claims) {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => {
    const time = /^now(?:([+-]\d+))?$/.exec(value);
    return [name, time ? Math.floor(Date.now() / 1000) + Number(time[1] ?? 0) : value];
  }));
}

function changed(token, index) {
  const at = index < 0 ? token.length + index : index;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

const encode = text => Buffer.from(text).toString('base64url');

/** Every compact JWS in a text, in order. */
export const findTokens = text => text.match(COMPACT) ?? [];

/**
 * What a token says, as text that is the same for two tokens issued a second apart:
 * header and claims in their own order, times relative to `now` (seconds), and whose key verifies it.
 */
export async function describeToken(token, keys, nowSecs) {
  const [header, payload] = token.split('.').map(part => Buffer.from(part, 'base64url').toString());
  return [`header ${header}`, `claims ${relativeTimes(payload, nowSecs)}`, `signature ${await verifiedBy(token, keys)}`];
}

/**
 * JSON text with its `exp`, `iat` and `nbf` told from `nowSecs`, give or take a second;
 * an `exp` to come that stands beside an `iat` is told from that, to the second.
 */
export function relativeTimes(text, nowSecs) {
  const times = [...text.matchAll(TIMES)].map(([, name, value]) => ({ name, secs: Number(value) }));
  const issued = times.find(({ name, secs }) => name === 'iat' && near(secs, nowSecs));
  return text.replace(TIMES, (all, name, value) => {
    const fromIssue = name === 'exp' && issued && value > nowSecs - FAR_SECS;
    const told = fromIssue ? plus('iat', value - issued.secs) : near(Number(value), nowSecs);
    return told ? `"${name}":${told}` : all;
  });
}

const plus = (base, secs) => (secs ? `${base}${secs > 0 ? '+' : ''}${secs}` : base);

// Times in requests and flows are whole tens of seconds away, so one beside a ten is that ten.
function near(secs, nowSecs) {
  const distance = secs - nowSecs;
  if (Math.abs(distance) > FAR_SECS) return null;
  return plus('now', [0, 1, -1].map(slack => distance + slack).find(value => value % 10 === 0) ?? distance);
}

async function verifiedBy(token, keys) {
  for (const [owner, secret] of Object.entries(keys)) {
    if (await verifies(token, secret)) return `good, by ${owner}`;
  }
  return 'NOT verified by any secret of this case';
}

async function verifies(token, secret) {
  try {
    await compactVerify(token, await importKey(token, secret));
    return true;
  } catch {
    return false;
  }
}

function importKey(token, secret) {
  const { alg } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
  return secret.startsWith('-----BEGIN PUBLIC') ? importSPKI(secret, alg) : new TextEncoder().encode(secret);
}
