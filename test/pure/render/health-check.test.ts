import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  calculateHealthDeadline,
  parseImageHealthCheck,
  parseManifestHealthCheck,
  parseSettle,
} from '../../../src/containers/render/health-check.ts';

const reject = (problem: string): Error => new Error(problem);

describe('manifest.json', () => {
  const times = { interval: 2, timeout: 5, retries: 5, startPeriod: 0 };
  test.each<[unknown, object | undefined]>([
    [undefined, undefined],
    [null, undefined],
    [{ command: ['/bin/check', '-q'] }, { probe: { kind: 'command', argv: ['/bin/check', '-q'] }, ...times }],
    [{ command: 'a | b' }, { probe: { kind: 'command', argv: ['/bin/sh', '-c', 'a | b'] }, ...times }],
    [{ http: 'http://127.0.0.1:80' }, { probe: { kind: 'http', url: 'http://127.0.0.1/' }, ...times }],
    [{ http: 'http://[::1]:1/x?y' }, { probe: { kind: 'http', url: 'http://[::1]:1/x?y' }, ...times }],
    [{ tcp: '[::1]:2379' }, { probe: { kind: 'tcp', host: '::1', port: 2379 }, ...times }],
    [
      { tcp: 'localhost:1', interval: 0.5, timeout: 1, retries: 2, startPeriod: 9 },
      {
        probe: { kind: 'tcp', host: 'localhost', port: 1 },
        ...{ interval: 0.5, timeout: 1, retries: 2, startPeriod: 9 },
      },
    ],
  ])('%j', (value, expected) => {
    expect(parseManifestHealthCheck(value, reject)).toEqual(expected as never);
  });

  test.each<[unknown, string]>([
    ['x', 'healthCheck must be an object'],
    [{}, 'healthCheck must have one of command, http and tcp'],
    [{ tcp: 'localhost:1', http: 'http://localhost' }, 'healthCheck must have one of command, http and tcp'],
    [{ command: [] }, 'healthCheck.command must name a command'],
    [{ command: ['a\0'] }, 'healthCheck.command must name a command'],
    [{ command: 7 }, 'healthCheck.command must be an array'],
    ...['https://localhost', 'http://10.0.0.1/', 'http://u@localhost/', 'http://127.0.0.1.example/', 'x'].map(
      (http): [unknown, string] => [
        { http },
        'healthCheck.http must be a URL such as http://127.0.0.1:8080/health, on this host',
      ],
    ),
    ...['localhost', 'localhost:0', 'localhost:65536', '169.254.169.254:80', ':1'].map(
      (tcp): [unknown, string] => [
        { tcp },
        'healthCheck.tcp must be ADDRESS:PORT such as 127.0.0.1:2379, on this host',
      ],
    ),
    [{ tcp: '::1:1', interval: -1 }, 'healthCheck.interval must be a number of seconds up to 3600'],
    [{ tcp: '::1:1', timeout: '5s' }, 'healthCheck.timeout must be a number of seconds up to 3600'],
    [{ tcp: '::1:1', startPeriod: 1e9 }, 'healthCheck.startPeriod must be a number of seconds up to 3600'],
    [{ tcp: '::1:1', retries: 1.5 }, 'healthCheck.retries must be a number up to 1000'],
  ])('refuses %j', (value, problem) => {
    expect(() => parseManifestHealthCheck(value, reject)).toThrow(problem);
  });
});

describe('the configuration of an image', () => {
  const times = { interval: 30, timeout: 30, retries: 3, startPeriod: 0 };
  test.each<[unknown, object | undefined]>([
    [undefined, undefined],
    [{}, undefined],
    [{ Test: ['NONE'] }, undefined],
    [
      { Test: ['CMD', 'curl', '-f', 'x'] },
      { probe: { kind: 'command', argv: ['curl', '-f', 'x'] }, ...times },
    ],
    [
      {
        Test: ['CMD-SHELL', 'curl -f x || exit 1'],
        Interval: 5e9,
        Timeout: 3e9,
        Retries: 2,
        StartPeriod: 1e9,
      },
      {
        probe: { kind: 'command', argv: ['/bin/sh', '-c', 'curl -f x || exit 1'] },
        ...{ interval: 5, timeout: 3, retries: 2, startPeriod: 1 },
      },
    ],
    [
      { Test: ['CMD', 'x'], Interval: 0 },
      { probe: { kind: 'command', argv: ['x'] }, ...times },
    ],
    // Valid for Docker, and longer than an update may wait.
    [
      { Test: ['CMD', 'x'], Interval: 86400e9, Timeout: 1e18, StartPeriod: 2 ** 62, Retries: 100000 },
      {
        probe: { kind: 'command', argv: ['x'] },
        ...{ interval: 3600, timeout: 3600, retries: 1000, startPeriod: 3600 },
      },
    ],
  ])('%j', (value, expected) => {
    expect(parseImageHealthCheck(value, reject)).toEqual(expected as never);
  });

  test.each([
    [{ Test: ['RUN', 'x'] }],
    [{ Test: ['CMD'] }],
    [{ Test: 'x' }],
    [{ Test: ['CMD', 'x'], Interval: '5s' }],
    [{ Test: ['CMD', 'x'], Interval: -1 }],
  ])('refuses %j', (value) => {
    expect(() => parseImageHealthCheck(value, reject)).toThrow('config.Healthcheck.');
  });
});

test('the deadline counts the start period and every interval', () => {
  const check = parseManifestHealthCheck({ tcp: '::1:1', interval: 2, retries: 3, startPeriod: 10 }, reject);
  expect(check && calculateHealthDeadline(check)).toBe(16);
  expect(check && calculateHealthDeadline({ ...check, interval: 3600, retries: 1000 })).toBe(3600);
});

test('the example of the documentation gives the time that the documentation says', () => {
  const text = readFileSync(join(import.meta.dir, '../../../docs/image-format.md'), 'utf8');
  const [, section = ''] = text.split('\n## Health\n');
  const [, example = ''] = /```json\n([^`]*)```/.exec(section) ?? [];
  const [, seconds = ''] = /In\s+the\s+example\s+these\s+are\s+(\d+)\s+seconds/.exec(section) ?? [];
  const check = parseManifestHealthCheck(JSON.parse(example).healthCheck, reject);
  expect(check && calculateHealthDeadline(check)).toBe(Number(seconds));
});

test('settle', () => {
  expect([undefined, null, 0, 2.5].map((value) => parseSettle(value, reject))).toEqual([
    undefined,
    undefined,
    0,
    2.5,
  ]);
  expect(() => parseSettle('5', reject)).toThrow('settle must be a number of seconds up to 3600');
});
