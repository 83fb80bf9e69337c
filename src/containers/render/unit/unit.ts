import { AtomicError } from '../../../base/errors.ts';
import { listVariables, substituteTemplate, type TemplateValues } from '../values/template.ts';
import { buildDefaultUnitTemplate } from './default-unit.ts';
import { formatMarker, type GeneratedMarker } from './generated-marker.ts';

interface UnitFacts {
  /** The `service.template` of the image; `undefined` when it has none (compatibility E-04). */
  readonly template: { readonly text: string; readonly file: string } | undefined;
  readonly marker: GeneratedMarker;
  /** The `StopSignal` of the image; used by the default unit only. */
  readonly stopSignal: string | undefined;
  /** `--stop-timeout` of the person, in seconds. */
  readonly stopTimeout?: number | undefined;
}

const runtimeVariables = ['EXEC_START', 'EXEC_STOP', 'EXEC_STARTPRE', 'EXEC_STOPPOST', 'RUNTIME', 'PIDFILE'];

/** LONG_LINE_MAX of systemd, which refuses a unit with a longer line. */
const maxLineLength = 1024 * 1024;

/**
 * Lines that templates usually do not have. A killed runtime leaves its state, and often the container itself: without the
 * first two lines the service never starts again (`container with id exists`, X-32). The first one is needed where a template
 * does not restart its service. The runtime returns 143 for a container that SIGTERM has ended: without the third line the
 * service counts as failed after every stop. systemd joins sections of one name and adds the statuses, so that the template
 * does not change.
 */
const cleanupTemplate = `
# Added by atomic: removes what a killed runtime leaves of the container
[Service]
ExecStartPre=-$RUNTIME delete --force '$NAME'
ExecStopPost=-$RUNTIME delete --force '$NAME'
SuccessExitStatus=143
`;

/**
 * `default-unit.ts` gives the reason. A template with its own `Delegate=`, perhaps for some controllers only, does not
 * change.
 */
const delegation = 'Delegate=yes\n';
/** The values that systemd reads as "off"; every other value is "on" or a list of controllers. */
const isOff = /^(?:0|no|n|false|f|off)$/i;

/**
 * Builds the text of the unit: the marker line, then the template of the image or the default unit, with its variables
 * replaced. A template that starts the container gets lines that clean up before a start and after a stop.
 *
 * @throws TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE as `substituteTemplate`; TEMPLATE_INVALID also for a result that
 *   systemd cannot read; CONFIG_INVALID for a stop signal that does not exist
 */
export function buildUnit(facts: UnitFacts, values: TemplateValues): string {
  const { text, file } = facts.template ?? {
    text: buildDefaultUnitTemplate(facts.stopSignal),
    file: 'default unit',
  };
  const body = endLine(substituteTemplate(text, values, file));
  const startsContainer = facts.template !== undefined && listVariables(text).includes('EXEC_START');
  const cleanup = startsContainer ? substituteTemplate(cleanupTemplate, values, file) : '';
  const added = startsContainer && !delegates(body) ? `${cleanup}${delegation}` : cleanup;
  const unit = `${formatMarker(facts.marker)}\n${body}${added}${formatStopTimeout(facts.stopTimeout)}`;
  checkUnitText(unit, file);
  return unit;
}

/** The last value of a setting counts. Drop-ins of an administrator come after it. */
function formatStopTimeout(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return `\n# Added by atomic: --stop-timeout\n[Service]\nTimeoutStopSec=${seconds}\n`;
}

/** Whether a unit uses the OCI runtime, by a variable that names it or by its usual name. */
export function usesRuntime(template: string): boolean {
  const names = listVariables(template);
  return runtimeVariables.some((name) => names.includes(name)) || /\b(?:runc|crun)\b/.test(template);
}

function delegates(unit: string): boolean {
  const last = [...unit.matchAll(/^[ \t]*Delegate[ \t]*=(.*)$/gm)].at(-1)?.[1];
  return last !== undefined && !isOff.test(last.trim());
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function checkUnitText(unit: string, file: string): void {
  const index = unit.split('\n').findIndex((line) => line.includes('\0') || line.length > maxLineLength);
  if (index < 0) return;
  // The marker is line 1 of the unit, so the index counts from 1 in the text below it.
  throw new AtomicError(
    'TEMPLATE_INVALID',
    `The template file '${file}' makes a unit that systemd cannot read: line ${index} contains a NUL character or is longer than ${maxLineLength} characters`,
    { hint: 'Check the template and the values of its variables.' },
  );
}
