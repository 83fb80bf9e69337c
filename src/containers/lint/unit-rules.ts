/** Rules for a unit that starts the container with an OCI runtime: what systemd accepts, but no start survives. */
import { listUnitSettings } from '../render/unit/unit-settings.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { buildExportsFinding, type ExportsRule } from './exports-rules.ts';
import type { Finding } from './finding.ts';

const file = 'service.template';
/** The types of a service that ends when the program of ExecStart ends. */
const followingTypes = ['', 'simple', 'exec', 'idle'];
/** `-` lets the command fail. */
const prefixes = /^[@:+!|-]*/;

/** @param values of the templates */
export function lintUnit(unit: string, values: TemplateValues): readonly Finding[] {
  const settings = listUnitSettings(unit);
  const listService = (key: string) =>
    settings
      .filter((setting) => setting.section === 'Service' && setting.key === key)
      .map(({ value }) => value);
  const find = (rule: ExportsRule, where: string, problem: string) =>
    buildExportsFinding(rule, { file, where, problem });

  const type = listService('Type').at(-1) ?? '';
  const start = listService('ExecStart').map(splitCommand).find(isRuntimeStart);
  const findings: Finding[] = [];
  if (start !== undefined) {
    const isDetached = start.some((word) => word === '-d' || word === '--detach');
    if (type === 'forking' && !isDetached) {
      const problem =
        'is forking, but the runtime stays in the foreground: the start waits until it fails. Write $EXEC_STOPPOST and $PIDFILE in the template, or another type';
      findings.push(find('forking-in-foreground', 'Type=', problem));
    }
    if (isDetached && followingTypes.includes(type)) {
      const problem = `is ${type || 'simple'}, but the runtime leaves the container in the background: systemd stops it at once. Write Type=forking and PIDFile=$PIDFILE`;
      findings.push(find('detached-without-forking', 'Type=', problem));
    }
    findings.push(...lintFolder(listService('WorkingDirectory').at(-1) ?? '', values));
  }
  const isEnabled = settings.some(
    ({ section, key, value }) =>
      section === 'Install' && /^(?:WantedBy|RequiredBy|UpheldBy|Alias|Also)$/.test(key) && value !== '',
  );
  if (!isEnabled) {
    const problem = 'has no WantedBy=: install cannot enable the service, and it does not start at boot';
    findings.push(find('no-install-section', '[Install]', problem));
  }
  return findings;
}

/** Lists the programs without which the service does not start. */
export function listNeededPrograms(unit: string): readonly string[] {
  return listUnitSettings(unit)
    .filter(({ section, key }) => section === 'Service' && /^Exec(?:Condition|Start(?:Pre|Post)?)$/.test(key))
    .filter(({ value }) => !(prefixes.exec(value)?.[0] ?? '').includes('-'))
    .map(({ value }) => splitCommand(value)[0] ?? '');
}

/** The runtime looks for `config.json` in its working directory, which is the folder of the deployment. */
function lintFolder(folder: string, { DESTDIR, NAME }: TemplateValues): readonly Finding[] {
  const where = 'WorkingDirectory=';
  if (folder === '') {
    const problem = 'is missing: the runtime does not find config.json. Write WorkingDirectory=$DESTDIR';
    return [buildExportsFinding('no-bundle-folder', { file, where, problem })];
  }
  const parent = String(DESTDIR).replace(/\/[^/]*$/, '');
  const isOwn = [String(DESTDIR), `${parent}/${NAME}`].includes(
    folder.replace(/^-/, '').replace(/(?<=.)\/+$/, ''),
  );
  if (isOwn) return [];
  const problem =
    'is not $DESTDIR: the runtime looks for config.json in this folder, and install does not write it there';
  return [buildExportsFinding('other-bundle-folder', { file, where, problem })];
}

function splitCommand(value: string): readonly string[] {
  return value.replace(prefixes, '').split(/\s+/);
}

function isRuntimeStart(words: readonly string[]): boolean {
  return (
    /(?:^|\/)(?:runc|crun)$/.test(words[0] ?? '') &&
    words.includes('run') &&
    !words.some((word) => /^(?:-b|--bundle(?:=.*)?)$/.test(word))
  );
}
