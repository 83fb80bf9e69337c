import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../../src/host/settings.ts';

const packaged = new URL('../../../packaging/atomic.conf', import.meta.url).pathname;
const lines = readFileSync(packaged, 'utf8').split('\n');
const keyLine = /^#([a-z_]+): /;

test('the packaged settings change nothing', () => {
  expect(readSettings({ ATOMIC_CONF: packaged })).toEqual({});
});

test('each setting of the documents is there, and has its default once the # is removed', () => {
  const folder = mkdtempSync(`${tmpdir()}/atomic-settings-`);
  const file = join(folder, 'atomic.conf');
  writeFileSync(file, lines.map((line) => (keyLine.test(line) ? line.slice(1) : line)).join('\n'));
  expect(readSettings({ ATOMIC_CONF: file })).toMatchObject({
    checkoutPath: '/var/lib/containers/atomic',
    runtime: 'runc',
    consent: 'ask',
  });
  rmSync(folder, { recursive: true });

  const documents = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  const rows = documents.slice(0, documents.indexOf('## /etc/atomic/')).match(/^\| `[^|]*\|/gm) ?? [];
  const documented = rows.flatMap((row) => [...row.matchAll(/`([a-z_]+)`/g)].map(([, key = '']) => key));
  expect(lines.flatMap((line) => keyLine.exec(line)?.[1] ?? []).sort()).toEqual(documented.sort());
});
