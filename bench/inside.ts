/** The half of a line that runs in the disposable host: `bun bench/inside.ts NAME REQUEST-FILE ANSWER-FILE`. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { InsideName, InsideRequest, InsideSamples } from './host.ts';
import { measureContainersListInside } from './lines/containers-list.ts';
import { measureInstallInside } from './lines/install.ts';

const halves: Readonly<Record<InsideName, (request: InsideRequest) => Promise<InsideSamples>>> = {
  install: measureInstallInside,
  'containers-list': measureContainersListInside,
};

const [name, requestFile = '', answerFile = ''] = process.argv.slice(2);
const request = JSON.parse(readFileSync(requestFile, 'utf8')) as InsideRequest;
const samples = await halves[name as InsideName](request);
writeFileSync(answerFile, JSON.stringify(samples));
