//! Says whether Chancery's answer is Node-RED's, or the deviation that the case declares.
import { comparable } from './exchange.mjs';

/** The reasons why the pair fails; none when it passes. */
export function judge(theirs, ours, deviation) {
  const same = comparable(theirs).join('\n') === comparable(ours).join('\n');
  if (!deviation) return same ? [] : difference(theirs, ours);
  if (same) return [`${deviation.deviation} is declared, but both sides answer alike`];
  return expected(ours, deviation.chancery);
}

function difference(theirs, ours) {
  const [left, right] = [comparable(theirs), comparable(ours)];
  const reasons = [
    ...left.filter(line => !right.includes(line)).map(line => `- Node-RED: ${line}`),
    ...right.filter(line => !left.includes(line)).map(line => `+ Chancery: ${line}`),
  ];
  return reasons.length ? reasons : ['the same lines in another order or number', ...right];
}

function expected(ours, { status, headers = {}, body, contains = [] }) {
  const lines = comparable(ours);
  const reasons = [];
  if (status && lines[0] !== `< ${status}`) reasons.push(`expected status ${status}, got ${lines[0]}`);
  for (const [name, value] of Object.entries(headers)) {
    const line = `< ${name.toLowerCase()}: ${value}`;
    if (!lines.includes(line)) reasons.push(`expected header ${line.slice(2)}`);
  }
  const got = lines.filter(line => line.startsWith('| ')).map(line => line.slice(2)).join('\n');
  if (body !== undefined && !pattern(body).test(got)) reasons.push(`expected body ${body}`, `     got body ${got}`);
  for (const part of contains) if (!got.includes(part)) reasons.push(`expected ${part} in body ${got}`);
  return reasons;
}

/** A body as expect.json writes it: literal text in which `{{16 hex}}` stands for a message id. */
function pattern(body) {
  const literal = body.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('\\{\\{16 hex\\}\\}', '[0-9a-f]{16}')}$`);
}
