import { describe, expect, test } from 'bun:test';
import {
  MAX_ANSWER_BYTES,
  parseProxyAnswer,
  readDigest,
  readHandle,
} from '../../../src/source/skopeo/proxy-answer.ts';
import { catchError } from '../../support/thrown-error.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test('an answer has what the method returns, and the pipe', () => {
  expect(parseProxyAnswer(`{"success":true,"value":"${digest}","pipeid":7,"error":""}`)).toEqual({
    kind: 'done',
    value: digest,
    pipe: 7,
  });
  expect(parseProxyAnswer('{"success":true}')).toEqual({ kind: 'done', value: undefined, pipe: 0 });
});

test('a failure has its words, without what could reach the terminal', () => {
  expect(parseProxyAnswer('{"success":false,"value":null,"pipeid":0,"error":"no\\u001b[2J"}')).toEqual({
    kind: 'failed',
    error: expect.not.stringContaining('\u001b'),
  });
});

describe('refused as PROXY_FAILED', () => {
  test.each([
    ['an end in the middle', '{"success":true,'],
    ['no object', '[]'],
    ['another type of success', '{"success":"yes"}'],
    ['another type of the error', '{"success":false,"error":{}}'],
    ['a pipe that is no number', '{"success":true,"pipeid":"7"}'],
    ['a pipe below zero', '{"success":true,"pipeid":-1}'],
    ['too long', `{"success":false,"error":"${'x'.repeat(MAX_ANSWER_BYTES)}"}`],
    ['too deep', `{"success":true,"value":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('%s', (_, text) => {
    expect(catchError(() => parseProxyAnswer(text))).toMatchObject({ code: 'PROXY_FAILED' });
  });

  test.each([undefined, null, '1', -1, 1.5, 1e300])('the handle %p', (value) => {
    expect(catchError(() => readHandle(value))).toMatchObject({ code: 'PROXY_FAILED' });
  });

  test.each([undefined, 1, '', 'sha256:', `md5:${'a'.repeat(32)}`])('the digest %p', (value) => {
    expect(catchError(() => readDigest(value))).toMatchObject({ code: 'PROXY_FAILED' });
  });
});
