import { expect, test } from 'bun:test';
import type { ProgressEvent } from '../../src/base/events.ts';
import { formatEvent } from '../../src/cli/progress/event-line.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const cases: { event: ProgressEvent; line: string | undefined }[] = [
  {
    event: { kind: 'pull-started', image: 'gscrivano/etcd' },
    line: 'answer: Image gscrivano/etcd is being pulled to ostree ...',
  },
  { event: { kind: 'layer-started', digest, bytes: 1 }, line: `answer: Pulling layer ${'ab'.repeat(32)}` },
  { event: { kind: 'layer-progress', digest, received: 1 }, line: undefined },
  { event: { kind: 'layer-finished', digest }, line: undefined },
  { event: { kind: 'step', text: 'Writing image' }, line: undefined },
  {
    event: { kind: 'extracting', destination: '/var/lib/containers/atomic/etcd.0' },
    line: 'answer: Extracting to /var/lib/containers/atomic/etcd.0',
  },
  {
    event: { kind: 'command', argv: ['systemctl', 'daemon-reload'] },
    line: 'answer: systemctl daemon-reload',
  },
  {
    event: { kind: 'command', argv: ['systemd-tmpfiles', '--create', '/etc/tmpfiles.d/etcd.conf'] },
    line: 'answer: systemd-tmpfiles --create /etc/tmpfiles.d/etcd.conf',
  },
  { event: { kind: 'notice', text: 'etcd already present' }, line: 'answer: etcd already present' },
  {
    event: {
      ...{ kind: 'image-stored', reference: 'reg/etcd:latest', id: '17acc76fc5b0aa', isUpToDate: false },
      ...{ layers: 5, fetched: 3, bytes: 8_400_000 },
    },
    line: 'answer: Stored reg/etcd:latest, id 17acc76fc5b0, 3 of 5 layers fetched, 8.40 MB',
  },
  {
    event: {
      ...{ kind: 'image-stored', reference: 'etcd:2', id: '17acc76fc5b0aa', isUpToDate: false },
      ...{ layers: 1, fetched: 0, bytes: 0 },
    },
    line: 'answer: Stored etcd:2, id 17acc76fc5b0, 0 of 1 layer fetched',
  },
  {
    event: {
      ...{ kind: 'image-stored', reference: 'etcd:2', id: '17acc76fc5b0aa', isUpToDate: true },
      ...{ layers: 5, fetched: 0, bytes: 0 },
    },
    line: 'answer: etcd:2 is up to date',
  },
  { event: { kind: 'warning', text: 'odd' }, line: 'remark: Warning: odd' },
  {
    event: { kind: 'waiting', object: 'etcd', holder: 'process 4242: atomic install etcd' },
    line: 'remark: Waiting for etcd, held by process 4242: atomic install etcd',
  },
  {
    event: { kind: 'waiting', object: 'etcd', holder: undefined },
    line: 'remark: Waiting for etcd, held by another process',
  },
  {
    event: { kind: 'recovered', container: 'etcd', operation: 'install', outcome: 'undone' },
    line: 'remark: Recovered etcd: an interrupted install was undone',
  },
  {
    event: { kind: 'warning', text: 'from\nhttps://u:secret@reg/\u001b]0;title\u0007 \u001b[2J' },
    line: 'remark: Warning: from https://***@reg/ ',
  },
];

test.each(cases)('$event', ({ event, line }) => {
  const formatted = formatEvent(event);
  expect(formatted && `${formatted.channel}: ${formatted.text}`).toBe(line);
});
