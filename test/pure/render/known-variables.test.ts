import { expect, test } from 'bun:test';
import { requireUsedNames } from '../../../src/containers/render/values/known-variables.ts';
import { catchError } from '../../support/thrown-error.ts';

const used = ['RECEIVER', 'PORT', 'NAME', 'EXEC_START'];
const variables = 'Its variables are PORT, RECEIVER. --set-any NAME=VALUE accepts any name.';

test('takes the variables of the image and of the system', () => {
  expect(requireUsedNames(['PORT', 'RECEIVER', 'STATE_DIRECTORY', 'UUID'], used)).toEqual([]);
});

test.each([
  [['PROT'], 'Cannot set PROT: the image uses no variable of that name', `Did you mean PORT? ${variables}`],
  [['port'], 'Cannot set port: the image uses no variable of that name', `Did you mean PORT? ${variables}`],
  [
    ['PORT', 'RECIEVER', 'STATE_DIR'],
    'Cannot set RECIEVER and STATE_DIR: the image uses no variable of these names',
    `Did you mean RECEIVER and STATE_DIRECTORY? ${variables}`,
  ],
  [['COLOUR'], 'Cannot set COLOUR: the image uses no variable of that name', variables],
])('refuses %j with what was probably meant', (given, message, hint) => {
  expect(catchError(() => requireUsedNames(given, used))).toEqual({ code: 'BAD_VALUE', message, hint });
});

test('an image without variables has nothing to propose, not even what atomic decides', () => {
  expect(catchError(() => requireUsedNames(['NAM'], ['NAME'])).hint).toBe(
    'It has no variables of its own. --set-any NAME=VALUE accepts any name.',
  );
});

test('a long list of variables is cut', () => {
  const many = Array.from({ length: 30 }, (_, index) => `VARIABLE_${index + 10}`);
  expect(catchError(() => requireUsedNames(['X'], many)).hint).toContain('VARIABLE_29, ...');
});

test('names that well-known callers pass to every image go on with a warning', () => {
  expect(requireUsedNames(['ADDTL_MOUNTS', 'REQUESTS_CA'], ['ADDTL_MOUNTS'])).toEqual([
    '--set REQUESTS_CA has no effect: the image does not use REQUESTS_CA',
  ]);
});
