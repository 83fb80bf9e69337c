import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { plainDisplay } from '../../src/cli/output/display.ts';
import { type Column, formatTable } from '../../src/cli/output/format-table.ts';
import { measureWidth } from '../../src/cli/output/text-width.ts';

interface Row {
  readonly name: string;
  readonly command: string;
  readonly state: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', minWidth: 20, read: ({ name }) => name, fit: 'middle' },
  { title: 'COMMAND', minWidth: 20, read: ({ command }) => command, fit: 'end', leaves: 'late' },
  { title: 'TYPE', read: () => 'system', leaves: 'early' },
  {
    title: 'STATE',
    read: ({ state }) => state,
    fit: 'wrap',
    tone: ({ state }) => (state === 'running' ? 'good' : undefined),
  },
];
const options = { mark: () => '', gap: 3, heading: true, truncate: true };
const row = (name: string, command = 'run.sh', state = 'running'): Row => ({ name, command, state });
const show = (rows: readonly Row[], width: number, truncate = true) =>
  formatTable(rows, columns, { ...options, truncate, display: { width, hasColor: false } });
const long = row(
  'registry.example.com/team/etcd:2026-11-30-nightly',
  'etcd --listen-client-urls http://127.0.0.1:2379',
);

describe('a table on a terminal', () => {
  test('that has room looks as in a file', () => {
    expect(show([row('etcd')], 80)).toBe(formatTable([row('etcd')], columns, options));
    expect(show([long], 200)).toBe(formatTable([long], columns, { ...options, display: plainDisplay }));
  });

  test('loses blanks first', () => {
    expect(show([row('etcd')], 40)).toBe('   NAME COMMAND TYPE   STATE\n   etcd run.sh  system running\n');
  });

  test('then a column that can be left out', () => {
    expect(show([row('etcd')], 28)).toBe('   NAME COMMAND STATE\n   etcd run.sh  running\n');
  });

  test('then the ends of texts, then the middle of names', () => {
    expect(show([long], 76)).toBe(
      [
        '   NAME                                              COMMAND         STATE',
        '   registry.example.com/team/etcd:2026-11-30-nightly etcd --liste... running',
        '',
      ].join('\n'),
    );
    expect(show([long], 50)).toBe(
      [
        '   NAME                           COMMAND  STATE',
        '   registry.exam...-11-30-nightly etcd ... running',
        '',
      ].join('\n'),
    );
  });

  test('then another column, before names are cut to less than is useful', () => {
    expect(show([long], 44)).toBe(
      ['   NAME                     COMMAND  STATE', '   registry.e...-30-nightly etcd ... running', ''].join(
        '\n',
      ),
    );
    expect(show([long], 40)).toBe(
      ['   NAME                          STATE', '   registry.exam...11-30-nightly running', ''].join('\n'),
    );
  });

  test('cuts last what a person types again', () => {
    const named: readonly Column<Row>[] = [
      { title: 'NAME', read: ({ name }) => name, fit: 'last' },
      { title: 'COMMAND', read: ({ command }) => command, fit: 'middle' },
    ];
    const rows = [row('kubernetes-controller-manager', 'registry.example.com/team/kube')];
    const at = (width: number) =>
      formatTable(rows, named, { ...options, heading: false, display: { width, hasColor: false } });
    expect(at(50)).toBe('   kubernetes-controller-manager registr...am/kube\n');
    expect(at(40)).toBe('   kubernetes...ler-manager regi.../kube\n');
  });

  test('folds sentences', () => {
    const reason = 'not known: the registry does not answer at https://registry.example.com/v2/';
    expect(show([row('etcd', 'run.sh', reason)], 40)).toBe(
      [
        '   NAME COMMAND STATE',
        '   etcd run.sh  not known: the registry',
        '                does not answer at',
        '                https://registry.example',
        '                .com/v2/',
        '',
      ].join('\n'),
    );
  });

  test('is whole without truncation', () => {
    expect(show([long], 20, false)).toBe(formatTable([long], columns, { ...options, truncate: false }));
  });

  test('counts the columns of wide characters', () => {
    expect(show([row('資料庫/伺服器/映像檔案:最新版本'), row('🧱🧱')], 46)).toBe(
      [
        '   NAME                        COMMAND STATE',
        '   資料庫/伺服...案:最新版本   run.sh  running',
        '   🧱🧱                        run.sh  running',
        '',
      ].join('\n'),
    );
  });

  test('is never wider than the terminal, when that has room for the least widths', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    const rows = fc.array(fc.record({ name: text, command: text, state: text }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(rows, fc.integer({ min: 60, max: 120 }), (table, width) => {
        const lines = show(table, width).split('\n');
        expect(lines.filter((line) => measureWidth(line) > width)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

test('a colour is around a state, and not around the blanks after it', () => {
  const display = { width: 80, hasColor: true };
  const text = formatTable([row('etcd')], columns, { ...options, display });
  expect(text).toEndWith('system   \u001b[32mrunning\u001b[0m\n');
});
