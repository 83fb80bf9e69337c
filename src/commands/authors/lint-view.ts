import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import type { LintReport } from '../../containers/author/lint-exports.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { Finding } from '../../containers/lint/finding.ts';

/** Formats a line for each finding, what an install needs and asks, and the numbers of the findings. */
export function formatLint({ subject, findings, required, asks }: LintReport): string {
  const lines = findings.map(
    ({ level, rule, file, text }) => `${level}: ${toPrintable(file)}: ${text} [${rule}]`,
  );
  const asked = [
    ...formatPrivileges(asks.privileges),
    ...asks.unknown.map((reason) => `not known: ${toPrintable(reason)}`),
  ];
  const sections = [
    lines,
    required.length === 0
      ? []
      : [`An install needs: ${required.map((name) => `--set ${toPrintable(name)}=VALUE`).join(' ')}`],
    asked.length === 0 ? [] : ['Asks of the host, with the default values:', ...asked],
    [`${toPrintable(subject)}: ${countLevels(findings)}`],
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => `${section.join('\n')}\n`)
    .join('\n');
}

export function buildLintJson({ subject, findings, required, asks }: LintReport): Record<string, unknown> {
  return {
    schemaVersion: 1,
    subject,
    errors: count(findings, 'error'),
    warnings: count(findings, 'warning'),
    findings: findings.map(({ level, rule, file, where, text }) => ({ level, rule, file, where, text })),
    required,
    asks: asks.privileges,
    asks_unknown: asks.unknown,
  };
}

function countLevels(findings: readonly Finding[]): string {
  return [
    formatCount(count(findings, 'error'), 'error'),
    formatCount(count(findings, 'warning'), 'warning'),
  ].join(', ');
}

function count(findings: readonly Finding[], wanted: Finding['level']): number {
  return findings.filter(({ level }) => level === wanted).length;
}
