import { describe, expect, test } from 'bun:test';
import { findVerb } from '../../src/cli/arguments/find-verb.ts';
import { catchError } from '../support/thrown-error.ts';

const pull = { path: 'pull', summary: '' };
const install = { path: 'install', summary: '' };
const imagesList = { path: 'images list', summary: '', aliases: ['list-images'] };
const verbs = [pull, install, imagesList];
const none = { debug: false, assumeYes: false };

describe('understood', () => {
  test.each([
    { words: ['-v'], request: { kind: 'version' } },
    { words: ['--version', 'pull'], request: { kind: 'version' } },
    { words: ['--debug', '-v'], request: { kind: 'version' } },
    { words: ['-h'], request: { kind: 'help', isShort: true, topic: '' } },
    { words: ['--help', 'pull'], request: { kind: 'help', isShort: true, topic: '' } },
    { words: ['help'], request: { kind: 'help', isShort: false, topic: '' } },
    { words: ['help', 'help'], request: { kind: 'help', isShort: false, topic: '' } },
    { words: ['help', '--help'], request: { kind: 'help', isShort: false, topic: '' } },
    { words: ['help', 'pull'], request: { kind: 'help', isShort: false, topic: 'pull' } },
    { words: ['help', 'images'], request: { kind: 'help', isShort: false, topic: 'images' } },
    { words: ['help', 'images', 'list'], request: { kind: 'help', isShort: false, topic: 'images list' } },
    { words: ['images', '--help'], request: { kind: 'help', isShort: true, topic: 'images' } },
    { words: ['images', '-h', 'list'], request: { kind: 'help', isShort: true, topic: 'images' } },
    { words: ['pull'], request: { kind: 'verb', verb: pull, rest: [], globals: none } },
    { words: ['image', 'list'], request: { kind: 'verb', verb: imagesList, rest: [], globals: none } },
    { words: ['list-images'], request: { kind: 'verb', verb: imagesList, rest: [], globals: none } },
    { words: ['help', 'list-images'], request: { kind: 'help', isShort: false, topic: 'images list' } },
    {
      words: ['pull', '--json', 'a', '-v'],
      request: { kind: 'verb', verb: pull, rest: ['--json', 'a', '-v'], globals: none },
    },
    {
      words: ['-y', '--debug', 'images', 'list', '-a'],
      request: { kind: 'verb', verb: imagesList, rest: ['-a'], globals: { debug: true, assumeYes: true } },
    },
    {
      words: ['--assumeyes', 'install', 'images'],
      request: { kind: 'verb', verb: install, rest: ['images'], globals: { debug: false, assumeYes: true } },
    },
  ])('$words', ({ words, request }) => {
    expect(findVerb(words, verbs)).toEqual(request as ReturnType<typeof findVerb<typeof pull>>);
  });
});

describe('refused', () => {
  test.each([
    { words: [], code: 'UNKNOWN_COMMAND', message: 'Too few arguments: the verb is missing' },
    { words: ['--debug'], code: 'UNKNOWN_COMMAND', message: 'Too few arguments: the verb is missing' },
    {
      words: ['images'],
      code: 'UNKNOWN_COMMAND',
      message: "Too few arguments: 'images' needs a verb",
      hint: "Did you mean 'atomic images list'?",
    },
    {
      words: ['images', '-a'],
      code: 'UNKNOWN_COMMAND',
      message: "Too few arguments: 'images' needs a verb",
      hint: "Did you mean 'atomic images list'?",
    },
    {
      words: ['images', 'lst'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'images lst'",
      hint: "Did you mean 'atomic images list'?",
    },
    {
      words: ['instal', 'x'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'instal'",
      hint: "Did you mean 'atomic install'?",
    },
    {
      words: ['image', 'lst'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'images lst'",
      hint: "Did you mean 'atomic images list'?",
    },
    {
      words: ['list', 'x'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'list'",
      hint: 'List the containers: atomic containers list -a. List the images: atomic images list',
    },
    {
      words: ['images', 'save', 'x'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'images save'",
      hint: 'Write an image to a file: atomic images export IMAGE oci-archive:FILE',
    },
    {
      words: ['images', 'install', 'x'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'images install'",
      hint: "Did you mean 'atomic install'?",
    },
    { words: ['frobnicate'], code: 'UNKNOWN_COMMAND', message: "Unknown verb 'frobnicate'" },
    { words: ['pu\u001b[31mll\n'], code: 'UNKNOWN_COMMAND', message: "Unknown verb 'pull '" },
    { words: ['help', 'frobnicate'], code: 'UNKNOWN_COMMAND', message: "Unknown verb 'frobnicate'" },
    {
      words: ['help', 'images', 'lis'],
      code: 'UNKNOWN_COMMAND',
      message: "Unknown verb 'images lis'",
      hint: "Did you mean 'atomic images list'?",
    },
    {
      words: ['--asumeyes', 'pull'],
      code: 'BAD_OPTION',
      message: "Unknown option '--asumeyes'",
      hint: "Did you mean '--assumeyes'?",
    },
    {
      words: ['--storage=ostree', 'pull', 'x'],
      code: 'BAD_OPTION',
      message: "Unknown option '--storage=ostree'",
      hint: 'Write the options of a verb after the verb.',
    },
  ])('$words', ({ words, code, message, hint }) => {
    expect(catchError(() => findVerb(words, verbs))).toEqual({ code, message, hint });
  });
});
