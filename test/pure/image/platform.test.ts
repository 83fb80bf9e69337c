import { expect, test } from 'bun:test';
import { parsePlatform } from '../../../src/image/platform.ts';
import { catchError } from '../../support/thrown-error.ts';

test('a platform has a variant or none', () => {
  expect(parsePlatform('linux/arm64')).toEqual({ os: 'linux', architecture: 'arm64' });
  expect(parsePlatform('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' });
});

test.each(['', 'linux', 'linux/', '/amd64', 'a/b/c/d', 'linux/--arch=x', 'linux/AMD64', 'a b/c'])(
  '%j is refused',
  (text) => {
    expect(catchError(() => parsePlatform(text))).toEqual({
      code: 'BAD_VALUE',
      message: `Invalid platform ${JSON.stringify(text)}: the form is OS/ARCH[/VARIANT]`,
      hint: 'For example linux/arm64 or linux/arm/v7.',
    });
  },
);

test.each([
  ['linux/x86_64', 'amd64'],
  ['linux/aarch64', 'arm64'],
])("the kernel's word %s is told from that of images", (text, word) => {
  expect(catchError(() => parsePlatform(text))).toEqual({
    code: 'BAD_VALUE',
    message: `Invalid platform "${text}": images say ${word}`,
    hint: `Write linux/${word}.`,
  });
});
