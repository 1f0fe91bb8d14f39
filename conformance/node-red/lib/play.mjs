//! Plays the requests of one case against one side and writes down what came.
import { keysOf } from './case.mjs';
import { send } from './client.mjs';
import { answerText } from './exchange.mjs';
import { makeToken } from './tokens.mjs';

const PATIENCE_MS = 5000;

/** Deploys the case on `side`; gives the lines of each answer by the request's title. */
export async function play(side, testCase, { patienceMs } = {}) {
  await side.deploy(testCase);
  const keys = keysOf(testCase);
  const names = {};
  const answers = new Map();
  const alongside = [];
  for (const request of testCase.requests) {
    for (const [name, recipe] of request.tokens) names[name] = makeToken(recipe);
    if (request.pauseMs) await new Promise(resolve => setTimeout(resolve, request.pauseMs));
    const sent = send(side.port, filled(request, names), patienceMs ?? request.patienceMs ?? PATIENCE_MS).then(async outcome => {
      for (const [name, member] of request.captures) names[name] = captured(outcome, member);
      answers.set(request.title, await answerText(outcome, keys));
    });
    if (request.alongside) alongside.push(sent);
    else await sent;
  }
  await Promise.all(alongside);
  return answers;
}

function filled(request, names) {
  const fill = text => text.replace(/\{\{(\w+)\}\}/g, (all, name) => names[name] ?? all);
  return {
    ...request,
    target: fill(request.target),
    headers: request.headers.map(([name, value]) => [name, fill(value)]),
    body: request.body && !request.bodyExpression ? Buffer.from(fill(request.body.toString())) : request.body,
  };
}

function captured(outcome, member) {
  try {
    return JSON.parse(outcome.body)[member];
  } catch {
    return `(no ${member} in the answer)`;
  }
}
