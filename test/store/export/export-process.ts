/** Exports one image: `bun export-process.ts HOST NAME DESTINATION` with the host as JSON. */
import type { Host } from '../../../src/host/host.ts';
import { exportImage } from '../../../src/store/export/export.ts';

const [, , described = '{}', name = '', destination = ''] = process.argv;
const plain = JSON.parse(described) as Omit<Host, 'report' | 'signal'>;
const host: Host = { ...plain, report: () => {}, trace: () => {}, signal: new AbortController().signal };
await exportImage(host, name, destination);
