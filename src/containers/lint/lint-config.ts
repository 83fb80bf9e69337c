/**
 * Finds faults for which the runtimes refuse to start a container, and settings of `config.json` that they do not obey.
 * Each rule was tried with runc 1.1 and crun 1.8 (`test/host/runtime-rules.test.ts`). Pure.
 */
import type { JsonObject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import { findWrongShapes, wrongNumber, wrongType } from './check-shape.ts';
import {
  buildFinding,
  type Fault,
  type Finding,
  type Rule,
  type RuntimeKind,
  sortFindings,
} from './finding.ts';
import { hostRules } from './host-rules.ts';
import { mountRules } from './mount-rules.ts';
import { namespaceRules } from './namespace-rules.ts';
import { processRules } from './process-rules.ts';
import type { ConfigRule, LintContext } from './rule.ts';
import { seccompRules } from './seccomp-rules.ts';
import { configShape } from './spec-shapes.ts';

const configRules: readonly ConfigRule[] = [
  ...processRules,
  ...mountRules,
  ...namespaceRules,
  ...seccompRules,
  ...hostRules,
];

/** All rules, for a table of them. */
export const lintRules: readonly Rule[] = [wrongType, wrongNumber, ...configRules];

/** The largest number of findings; no configuration of a person has more. */
const maxFindings = 100;
const maxPlaceLength = 200;

const seccompPlace = 'linux.seccomp.';

/** Lists what a runtime refuses in a seccomp filter; the places begin in the filter. */
export function lintSeccomp(seccomp: JsonObject): readonly Fault[] {
  const config = { linux: { seccomp } };
  return [
    ...findWrongShapes(config, configShape).map(([, fault]) => fault),
    ...seccompRules
      .filter(({ runc, crun }) => runc === 'refuses' || crun === 'refuses')
      .flatMap((rule) => rule.find(config, { hasTerminal: false })),
  ].map(({ where, problem }) => ({ where: where.replace(seccompPlace, ''), problem }));
}

/** Lists the findings, errors first. */
export function lintConfig(
  config: JsonObject,
  runtime: RuntimeKind,
  context: LintContext,
): readonly Finding[] {
  const found: (readonly [Rule, Fault])[] = [
    ...findWrongShapes(config, configShape),
    ...configRules.flatMap((rule) => rule.find(config, context).map((fault) => [rule, fault] as const)),
  ];
  const findings = found.map(([rule, { where, problem }]) =>
    buildFinding(rule, { where: toPrintable(where, maxPlaceLength), problem }, runtime),
  );
  return sortFindings(findings).slice(0, maxFindings);
}
