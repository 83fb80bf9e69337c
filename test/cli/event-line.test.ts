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
