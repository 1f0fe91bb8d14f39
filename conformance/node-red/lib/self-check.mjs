//! Checks the run itself: a difference that is there must be seen, and one that is not must not.
import { answerText } from './exchange.mjs';
import { judge } from './judge.mjs';
import { parseRequests } from './request-file.mjs';
import { makeToken } from './tokens.mjs';

const SECRET = 'the secret of the self-check';
const claims = { data: 1, exp: 'now+60', iat: 'now' };

/** Every check as `[name, reasons]`; no reasons when it holds. */
export async function selfChecks() {
  const alike = tokenBody({ claims });
  const checks = [
    ['two answers alike', await differs({}, {}), false],
    ['another status', await differs({}, { status: 201 }), true],
    ['another header value', await differs({}, { headers: [['X', 'b']] }), true],
    ['another order and case of headers', await differs(
      { headers: [['X', '1'], ['Y', '2']] }, { headers: [['y', '2'], ['x', '1']] }), false],
    ['another order of two headers of one name', await differs(
      { headers: [['X', '1'], ['X', '2']] }, { headers: [['X', '2'], ['X', '1']] }), true],
    ['another date', await differs({ headers: [['Date', '1']] }, { headers: [['Date', '2']] }), false],
    ['one octet of the body', await differs({ body: 'a' }, { body: 'b' }), true],
    ['a token a second later', await differs({ body: alike }, { body: tokenBody({ claims, laterSecs: 1 }), laterSecs: 1 }), false],
    ['a token half a minute off', await differs({ body: alike }, { body: tokenBody({ claims, laterSecs: 30 }) }), true],
    ['another lifetime', await differs({ body: alike }, { body: tokenBody({ claims: { ...claims, exp: 'now+61' } }) }), true],
    ['another order of claims', await differs({ body: alike }, { body: tokenBody({ claims: { exp: 'now+60', data: 1, iat: 'now' } }) }), true],
    ['another secret', await differs({ body: alike }, { body: tokenBody({ claims, secret: 'another' }) }), true],
    ['a wrong ETag over a token', await differs({ body: alike }, { body: alike, headers: [['ETag', 'W/"1-x"']] }), true],
    ['no answer', await differs({}, { unanswered: 100 }), true],
  ];
  return [...checks.map(([name, seen, expected]) =>
    [name, seen === expected ? [] : [`${seen ? 'seen' : 'not seen'}`]]), ...await deviationChecks(), readingCheck()];
}

const tokenBody = ({ laterSecs = 0, secret = SECRET, claims: given }) =>
  JSON.stringify({ token: makeToken({ claims: later(given, laterSecs), secret }) });

function later(given, secs) {
  const shift = value => value.replace(/^now\+?(\d*)$/, (all, plus) => `now+${Number(plus) + secs}`);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? shift(value) : value]));
}

const lines = ({ laterSecs = 0, ...outcome }) => {
  const answer = { status: 200, headers: [['X', 'a']], body: '', ...outcome };
  return answerText({ ...answer, body: Buffer.from(answer.body), doneAt: Date.now() + laterSecs * 1000 }, { node: SECRET });
};

const differs = async (theirs, ours) => judge(await lines(theirs), await lines(ours)).length > 0;

async function deviationChecks() {
  const deviation = { deviation: 'D1', because: 'x', chancery: { status: 500, body: '{"id":"{{16 hex}}"}' } };
  const theirs = await lines({});
  const judged = async ours => judge(theirs, await lines(ours), deviation).length > 0;
  const declared = { status: 500, body: '{"id":"0123456789abcdef"}' };
  return [
    ['a declared deviation passes', await judged(declared) ? ['refused'] : []],
    ['a declared deviation that does not show', await judged({}) ? [] : ['not seen']],
    ['a declared deviation with another body', await judged({ status: 500, body: '{"id":"x"}' }) ? [] : ['not seen']],
  ];
}

function readingCheck() {
  const [request] = parseRequests('### t\n# @patience 7\nPOST /p\nA: b\n\nline 1\n\nline 2\n\n');
  const read = [request.method, request.target, request.patienceMs, request.headers.join(), String(request.body)].join('|');
  return ['a request is read as written', read === 'POST|/p|7|A,b|line 1\n\nline 2' ? [] : [read]];
}
