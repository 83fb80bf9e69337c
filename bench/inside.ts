/** Measures lines in the disposable host: `bun bench/inside.ts REQUEST-FILE ANSWER-FILE`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { createBench } from './bench.ts';
import { measureLine } from './lines.ts';
import { readBusyShare, readMachine } from './machine.ts';
import type { LineResult } from './results.ts';
import type { SessionAnswer, SessionRequest } from './session.ts';

const [requestFile = '', answerFile = ''] = process.argv.slice(2);
const request = JSON.parse(readFileSync(requestFile, 'utf8')) as SessionRequest;
await using bench = await createBench(request);
const machine = readMachine(request.folder);
const lines: LineResult[] = [];
writeAnswer();
for (const name of request.lines) {
  const started = performance.now();
  const head = {
    name,
    measuredAt: new Date().toISOString(),
    loadBefore: loadavg()[0] ?? 0,
    busyBefore: await readBusyShare(),
  };
  lines.push({ ...head, comparisons: await measureLine(name, bench) });
  writeAnswer();
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

function writeAnswer(): void {
  const answer: SessionAnswer = { machine, lines };
  writeFileSync(`${answerFile}.new`, JSON.stringify(answer));
  renameSync(`${answerFile}.new`, answerFile);
}
