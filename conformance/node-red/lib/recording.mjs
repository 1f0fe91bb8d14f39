//! The recordings: what the real Node-RED answered, one readable file a case.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { requestText } from './exchange.mjs';

const HEAD = '# What Node-RED 5.0.7 answers. Written by `node run.mjs --record`; do not edit.\n';

/** Writes `upstream.txt`. */
export function writeRecording(testCase, answers) {
  writeFileSync(testCase.recording, recordingText(testCase, answers));
}

/** The reasons why `upstream.txt` no longer tells what Node-RED answers; none when it does. */
export function staleRecording(testCase, answers) {
  const now = recordingText(testCase, answers);
  const kept = existsSync(testCase.recording) ? readFileSync(testCase.recording, 'utf8') : '';
  if (now === kept) return [];
  const known = new Set(kept.split('\n'));
  return ['upstream.txt is not what Node-RED answers; record again', ...now.split('\n').filter(line => !known.has(line))];
}

/** The recorded answers, in the form that `play` gives. */
export function readRecording(testCase) {
  const blocks = readFileSync(testCase.recording, 'utf8').split(/^### /m).slice(1);
  return new Map(blocks.map(block => {
    const [title, ...lines] = block.replace(/\n+$/, '').split('\n');
    return [title, lines.filter(line => /^(<|\||token )/.test(line))];
  }));
}

function recordingText(testCase, answers) {
  const blocks = testCase.requests.map(request =>
    [`### ${request.title}`, ...requestText(request), ...answers.get(request.title)].join('\n'));
  return `${HEAD}\n${blocks.join('\n\n')}\n`;
}
