import { describe, expect, test } from 'bun:test';
import { checkStorage, checkSystemPackage } from '../../src/commands/options/common-options.ts';
import { parseSourceOptions } from '../../src/commands/options/source-options.ts';
import { catchError } from '../support/thrown-error.ts';

const storageHint = "'ostree' is the only storage: write --storage=ostree, or leave it out.";
const unavailable = (name: string): string =>
  `The storage backend '${name}' is not available.  Try with an alternate storage with --storage if available.`;

describe('--storage', () => {
  test.each([undefined, 'ostree'])('%p is accepted', (storage) => {
    expect(() => checkStorage(storage)).not.toThrow();
  });
  test.each([
    ['docker', unavailable('docker')],
    ['containers-storage', unavailable('containers-storage')],
    ['OSTree', "Unable to associate string 'OSTree' with backend"],
    ['', "Unable to associate string '' with backend"],
  ])('%p is refused', (storage, message) => {
    expect(catchError(() => checkStorage(storage))).toEqual({
      code: 'BAD_VALUE',
      message,
      hint: storageHint,
    });
  });
});

describe('--system-package', () => {
  test.each([undefined, 'auto', 'no'])('%p is accepted', (mode) => {
    expect(() => checkSystemPackage(mode)).not.toThrow();
  });
  test.each([
    ['build', '--system-package=build: building an rpm is not supported'],
    ['yes', '--system-package=yes: building an rpm is not supported'],
    ['maybe', "Invalid --system-package mode.  Accepted values: 'auto', 'build', 'no', 'yes'"],
    ['', "Invalid --system-package mode.  Accepted values: 'auto', 'build', 'no', 'yes'"],
  ])('%p is refused', (mode, message) => {
    expect(catchError(() => checkSystemPackage(mode))).toMatchObject({ code: 'BAD_VALUE', message });
  });
});

describe('registry options', () => {
  const none = {
    creds: undefined,
    authfile: undefined,
    'cert-dir': undefined,
    'tls-verify': undefined,
    retry: undefined,
  };
  test.each([
    { values: {}, source: {} },
    { values: { creds: 'u:p:q' }, source: { credentials: { username: 'u', password: 'p:q' } } },
    { values: { creds: 'u:' }, source: { credentials: { username: 'u', password: '' } } },
    {
      values: { authfile: '/etc/passwd', 'cert-dir': '/etc', 'tls-verify': false },
      source: { authFile: '/etc/passwd', certDirectory: '/etc', tlsVerify: false },
    },
    { values: { retry: '0' }, source: { retryPauses: [] } },
    { values: { retry: '7' }, source: { retryPauses: [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] } },
  ])('$values', ({ values, source }) => {
    expect(parseSourceOptions({ ...none, ...values })).toEqual(source);
  });
  test.each(['', 'x', '-1', '1.5', '101'])('--retry %p is refused', (retry) => {
    expect(catchError(() => parseSourceOptions({ ...none, retry }))).toEqual({
      code: 'BAD_VALUE',
      message: `Invalid value '${retry}' of --retry: it must be a number from 0 to 100`,
      hint: 'With --retry=0 no transfer is tried again.',
    });
  });
  const named = (option: string): string =>
    `Check the path after ${option}; a relative path begins at the current folder.`;
  test.each([
    [{ authfile: '/no/such' }, '/no/such: there is no such file or folder', named('--authfile')],
    [{ authfile: '/etc/passwd/x' }, '/etc/passwd/x: there is no such file or folder', named('--authfile')],
    [{ authfile: '/etc' }, '/etc: it is a folder, not a file', 'Check the file: ls -ld /etc'],
    [{ 'cert-dir': '/no/such' }, '/no/such: there is no such file or folder', named('--cert-dir')],
    [{ 'cert-dir': '/etc/passwd' }, '/etc/passwd: it is not a folder', 'Check the file: ls -ld /etc/passwd'],
  ])('%p is refused', (values, reason, hint) => {
    expect(catchError(() => parseSourceOptions({ ...none, ...values }))).toEqual({
      code: 'SOURCE_UNREADABLE',
      message: `reading ${reason}`,
      hint,
    });
  });
  test.each(['user', ':password', ''])('--creds %p is refused, without repeating it', (creds) => {
    expect(catchError(() => parseSourceOptions({ ...none, creds }))).toEqual({
      code: 'BAD_VALUE',
      message: 'Invalid value of --creds: the form is USER:PASSWORD',
      hint: 'To be asked for the password, run "skopeo login REGISTRY" and leave --creds out.',
    });
  });
});
