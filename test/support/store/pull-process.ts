/** Pulls one image: `bun pull-process.ts HOST NAME` with the host as JSON; prints a `PullOutcome`. */
import { AtomicError } from '../../../src/base/errors.ts';
import type { Host } from '../../../src/host/host.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import type { PullOutcome } from './pull-in-process.ts';

async function pull(host: Host, name: string): Promise<PullOutcome> {
  try {
    return { kind: 'pulled', commit: (await pullImage(host, name, {})).image.commit };
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    const { code, message, hint } = error;
    return { kind: 'failed', code, message, hint };
  }
}

const [, , described = '{}', name = ''] = process.argv;
const plain = JSON.parse(described) as Omit<Host, 'report' | 'signal'>;
const host: Host = { ...plain, report: () => {}, trace: () => {}, signal: new AbortController().signal };
process.stdout.write(JSON.stringify(await pull(host, name)));
