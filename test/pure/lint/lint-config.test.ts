import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { findRuntimeKind } from '../../../src/containers/lint/finding.ts';
import { lintConfig, lintRules } from '../../../src/containers/lint/lint-config.ts';
import {
  buildExample,
  buildStartingConfig,
  lintExamples,
  untriedRules,
} from '../../support/lint-examples.ts';

const service = { hasTerminal: false };

describe('the rules of a runtime', () => {
  test('have an example each, and a name of their own', () => {
    const names = lintRules.map(({ name }) => name);
    expect([...Object.keys(lintExamples), ...untriedRules].sort()).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(names.length);
  });

  test('are in the manual, with what each runtime does', () => {
    const manual = readFileSync(`${import.meta.dir}/../../../docs/image-format.md`, 'utf8');
    const rows = [...manual.matchAll(/^\| `([a-z-]+)` \| .* \| (error|warning) \| (error|warning) \|$/gm)];
    const level = (effect: string) => (effect === 'refuses' ? 'error' : 'warning');
    expect(rows.map(([, ...columns]) => columns)).toEqual(
      lintRules.map(({ name, runc, crun }) => [name, level(runc), level(crun)]),
    );
  });

  test('find nothing in a configuration that starts', () => {
    for (const runtime of ['runc', 'crun', 'other'] as const) {
      expect(lintConfig(buildStartingConfig(), runtime, service)).toEqual([]);
    }
  });

  for (const rule of lintRules.filter(({ name }) => !untriedRules.includes(name))) {
    test(`${rule.name} is found, as an error where the runtime refuses it`, () => {
      for (const change of lintExamples[rule.name] ?? []) {
        for (const runtime of ['runc', 'crun'] as const) {
          const found = lintConfig(buildExample(change), runtime, service);
          expect(found).toContainEqual(
            expect.objectContaining({
              rule: rule.name,
              level: rule[runtime] === 'refuses' ? 'error' : 'warning',
            }),
          );
        }
      }
    });
  }

  test('say where, what, and what follows', () => {
    const find = (runtime: 'runc' | 'crun' | 'other', change: Parameters<typeof buildExample>[0]) =>
      lintConfig(buildExample(change), runtime, service).map(({ level, text }) => `${level}: ${text}`);
    const hostname = (config: object) => Object.assign(config, { hostname: 'web' });
    expect(find('runc', hostname)).toEqual([
      'error: hostname needs a UTS namespace in linux.namespaces: the runtimes do not start it',
    ]);
    const version = (config: object) => Object.assign(config, { ociVersion: undefined });
    expect(find('crun', version)).toEqual([
      'error: ociVersion is missing: crun does not start it, runc does not look at it',
    ]);
    expect(find('runc', version)).toEqual([
      'warning: ociVersion is missing: crun does not start it, runc does not look at it',
    ]);
    expect(find('other', version)[0]).toStartWith('warning: ');
  });

  test('let a unit with a terminal have one', () => {
    const config = buildExample(({ process }) => Object.assign(process, { terminal: true }));
    expect(lintConfig(config, 'runc', { hasTerminal: true })).toEqual([]);
  });

  test('take the largest number, which means no limit', () => {
    const config = JSON.parse(
      '{"process":{"rlimits":[{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}]}}',
    );
    const names = lintConfig(config, 'runc', service).map(({ rule }) => rule);
    expect(names).not.toContain('wrong-number');
    expect(names).not.toContain('soft-over-hard');
  });

  test('read any JSON', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.constantFrom(null, true, -1, 1.5, 1e300, '', 'bind', '/proc'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'process',
            'args',
            'linux',
            'namespaces',
            'mounts',
            'seccomp',
            'syscalls',
            'hooks',
            'type',
          ),
          tie('value'),
          { maxKeys: 4 },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('process', 'linux', 'mounts', 'hooks', '__proto__'), value),
        (config) => {
          expect(lintConfig(config, 'runc', service).length).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('a runtime is known by the name of its program', () => {
  expect(['/usr/sbin/runc', '/usr/bin/crun', '/opt/crun-1.2', 'runc'].map(findRuntimeKind)).toEqual([
    ...(['runc', 'crun', 'other', 'runc'] as const),
  ]);
});
