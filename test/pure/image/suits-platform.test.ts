import { expect, test } from 'bun:test';
import { readNamedPlatform } from '../../../src/image/configuration-blob.ts';
import { formatPlatform, suitsPlatform } from '../../../src/image/platform.ts';

const arm7 = { os: 'linux', architecture: 'arm', variant: 'v7' };
const amd64 = { os: 'linux', architecture: 'amd64' };

test.each([
  [{ os: 'linux', architecture: 'amd64' }, amd64, true],
  [{ architecture: 'amd64' }, amd64, true],
  [{}, amd64, true],
  [{ os: 'windows' }, amd64, true],
  [{ os: 'windows', architecture: 'amd64' }, amd64, false],
  [{ os: 'linux', architecture: 'arm64' }, amd64, false],
  [{ os: 'linux', architecture: 'arm' }, arm7, true],
  [{ os: 'linux', architecture: 'arm', variant: 'v7' }, { os: 'linux', architecture: 'arm' }, true],
  [{ os: 'linux', architecture: 'arm', variant: 'v6' }, arm7, true],
  [{ os: 'linux', architecture: 'arm', variant: 'v8' }, arm7, false],
  [{ os: 'linux', architecture: 'arm', variant: 'hard' }, arm7, false],
])('an image for %j on %j: %p', (image, wanted, expected) => {
  expect(suitsPlatform(image, wanted)).toBe(expected);
});

test('reads the platform of the configuration, and ignores values that are not text', () => {
  expect(readNamedPlatform('{"os":"linux","architecture":"arm","variant":"v7"}')).toEqual(arm7);
  expect(readNamedPlatform('{"os":"","architecture":7,"variant":null}')).toEqual({});
  expect(readNamedPlatform('no JSON')).toEqual({});
});

test('a value of an image is printed on one line', () => {
  expect(formatPlatform({ os: 'linux', architecture: 'a\nb' })).not.toContain('\n');
});
