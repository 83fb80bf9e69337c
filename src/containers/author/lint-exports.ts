/** Lints the files of `/exports` of an image or of a folder, as an author wants to see it: all faults at once. */
import { AtomicError } from '../../base/errors.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../base/json-text.ts';
import type { Host } from '../../host/host.ts';
import { findTmpfilesFault } from '../../host/systemd/systemd-tmpfiles.ts';
import { listNamedFolders } from '../consent/own-folders.ts';
import { listTmpfilesPrivileges } from '../consent/tmpfiles-privileges.ts';
import { buildExportsFinding, type ExportsRule } from '../lint/exports-rules.ts';
import { type Finding, sortFindings } from '../lint/finding.ts';
import { lintManifest, lintNames } from '../lint/manifest-rules.ts';
import { checkRenderedConfig } from '../prepare/config-text.ts';
import { describeLintedImage, lintDeployment } from '../prepare/lint-deployment.ts';
import { listHostFileTemplates } from '../prepare/list-host-files.ts';
import {
  buildPreviewValues,
  type ExportsSubject,
  type Part,
  type Preview,
  previewExports,
  previewName,
} from '../prepare/preview-exports.ts';
import {
  bringsRuntimeConfig,
  type ImageExports,
  isRunByRuntime,
  readExports,
  readTemplates,
} from '../prepare/read-exports.ts';
import { type ImageAsks, listPreviewAsks } from '../prepare/read-image-asks.ts';
import { sortVariables } from '../render/values/image-variables.ts';
import type { GivenValues } from '../render/values/set-option.ts';
import { substituteTemplate, type TemplateValues } from '../render/values/template.ts';
import { withExportsSubject } from './exports-subject.ts';
import { listUsed, requireUsedValues, tryToRead } from './used-variables.ts';

export interface LintReport {
  /** The reference of the image, or the path of the folder. */
  readonly subject: string;
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** The variables that an install needs. */
  readonly required: readonly string[];
  readonly asks: ImageAsks;
}

/**
 * @param written an image or a folder
 * @throws BAD_VALUE for a value that the templates do not use; as `withExportsSubject`, and failures of this machine
 */
export async function lintSubject(host: Host, written: string, given: GivenValues): Promise<LintReport> {
  return withExportsSubject(host, written, (reading, subject) => lint(reading, subject, given));
}

async function lint(host: Host, subject: ExportsSubject, given: GivenValues): Promise<LintReport> {
  const names = subject.tree.listDirectory('exports') ?? [];
  const exports = tryToRead(() => readExports(subject.tree, subject.folder, subject.label));
  if (exports instanceof AtomicError) {
    const rule = /^Invalid manifest\.json/.test(exports.message) ? 'bad-manifest' : 'bad-exports';
    const finding = buildExportsFinding(rule, {
      file: rule === 'bad-manifest' ? 'manifest.json' : '/exports',
      ...{ where: '', problem: exports.message },
    });
    return {
      ...{ subject: subject.label, findings: [finding, ...lintNames(names)], required: [] },
      asks: { privileges: [], unknown: [exports.message] },
    };
  }
  const set = given.values;
  const values = buildPreviewValues(host, subject, exports, { name: previewName, set });
  requireUsedValues(subject, exports, values, given.checkedNames);
  const preview = await previewExports(host, subject, exports, values);
  const findings = [
    ...lintNames(names),
    ...listFailures(preview, exports),
    ...lintDefaults(subject, listUsed(subject, exports, values)),
    ...lintHostTemplates(subject, exports, values),
    ...(await lintRendered(host, subject, { exports, preview, values })),
    ...(await lintTmpfiles(host, exports, preview.tmpfiles, values)),
  ];
  const { defaultValues, variables: declared } = exports.manifest;
  const variables = sortVariables(readTemplates(subject.tree), defaultValues, declared);
  return {
    subject: subject.label,
    findings: sortFindings(findings),
    required: variables.required.filter((name) => !Object.hasOwn(set, name)),
    asks: listPreviewAsks(preview, values),
  };
}

/** The file that the author has to change for a fault in the configuration. */
function nameConfig({ config, configTemplate }: ImageExports): string {
  return config === undefined && configTemplate !== undefined ? 'config.json.template' : 'config.json';
}

function listFailures(preview: Preview, exports: ImageExports): readonly Finding[] {
  const parts: readonly (readonly [Part<unknown>, string, ExportsRule])[] = [
    [preview.config, nameConfig(exports), 'bad-config'],
    [preview.unit, 'service.template', 'bad-unit'],
    [preview.tmpfiles, 'tmpfiles.template', 'bad-tmpfiles'],
    [preview.hostFiles, 'hostfs', 'bad-host-files'],
  ];
  return parts.flatMap(([part, file, rule]) =>
    part.kind === 'failed' ? [describeFailure(part.error, file, rule)] : [],
  );
}

/** @param rule for a failure that is not one of the template */
function describeFailure(error: AtomicError, file: string, rule: ExportsRule): Finding {
  if (error.code === 'TEMPLATE_UNSET_VARIABLE') {
    const unset = Array.isArray(error.details?.unset) ? error.details.unset.map(String) : [];
    const options = unset.map((name) => `--set ${name}=VALUE`).join(' ');
    const problem = `has no value for ${unset.join(', ')}, and was not checked. Give it one: atomic lint ${options} ...`;
    return buildExportsFinding('value-missing', { file, where: '', problem });
  }
  const isTemplate = error.code === 'TEMPLATE_INVALID';
  return buildExportsFinding(isTemplate ? 'bad-template' : rule, { file, where: '', problem: error.message });
}

function lintDefaults({ tree }: ExportsSubject, used: ReadonlySet<string>): readonly Finding[] {
  const text = tree.readFile('exports/manifest.json', MAX_MANIFEST_BYTES)?.toString('utf8');
  if (text === undefined) return [];
  // It was parsed before.
  const parsed: JsonObject = parseJsonObject(text, MAX_MANIFEST_BYTES, (problem) => new Error(problem));
  return lintManifest(parsed, (variable) => used.has(variable));
}

const MAX_MANIFEST_BYTES = 1024 * 1024;

function lintHostTemplates(
  subject: ExportsSubject,
  { manifest }: ImageExports,
  values: TemplateValues,
): readonly Finding[] {
  const templates = tryToRead(() => listHostFileTemplates(subject, manifest, values));
  if (templates instanceof AtomicError) return [describeFailure(templates, 'hostfs', 'bad-host-files')];
  return templates.flatMap(({ path, text }) => {
    const rendered = tryToRead(() => substituteTemplate(text, values, path));
    return rendered instanceof AtomicError
      ? [describeFailure(rendered, `hostfs${path}`, 'bad-template')]
      : [];
  });
}

interface Rendered {
  readonly exports: ImageExports;
  readonly preview: Preview;
  readonly values: TemplateValues;
}

/** Rules for a configuration and a unit that could be rendered. */
async function lintRendered(
  host: Host,
  subject: ExportsSubject,
  { exports, preview, values }: Rendered,
): Promise<readonly Finding[]> {
  const config = preview.config.kind === 'rendered' ? preview.config.value : undefined;
  const unit = preview.unit.kind === 'rendered' ? preview.unit.value : undefined;
  const file = nameConfig(exports);
  const checked = config === undefined ? [] : checkConfig(host, subject, exports, { text: config, values });
  const refused = checked instanceof AtomicError ? checked : undefined;
  const warnings = [...preview.warnings, ...(checked instanceof AtomicError ? [] : checked)];
  const hostFiles = preview.hostFiles.kind === 'rendered' ? preview.hostFiles.value : [];
  const own = [String(values.DESTDIR), String(values.RUNTIME), ...hostFiles.map(({ path }) => path)];
  const findings = await lintDeployment(host, {
    ...{ name: String(values.NAME), unit, values, runtime: 'other' },
    config: isRunByRuntime(exports) && isJson(config) ? config : undefined,
    image:
      subject.image === undefined
        ? undefined
        : describeLintedImage(subject.tree, subject.image.config, bringsRuntimeConfig(exports)),
    isExpected: (program) => own.some((path) => program === path || program.startsWith(`${path}/`)),
  });
  // A rule may have found the same fault.
  const isFound = findings.some(({ text }) => refused?.message.includes(text.split(': ')[0] ?? text));
  return [
    ...(refused === undefined || isFound ? [] : [describeFailure(refused, file, 'bad-config')]),
    ...findings.map((finding) => (finding.file === 'config.json' ? { ...finding, file } : finding)),
    ...warnings.map((problem) => buildExportsFinding('install-warning', { file, where: '', problem })),
  ];
}

function isJson(text: string | undefined): boolean {
  if (text === undefined) return false;
  const parsed = tryToRead(() =>
    parseJsonObject(text, MAX_CONFIG_LENGTH, (problem) => new AtomicError('CONFIG_INVALID', problem)),
  );
  return isJsonObject(parsed) && !(parsed instanceof AtomicError);
}

const MAX_CONFIG_LENGTH = 4 * 1024 * 1024;

/** @returns what an install refuses before the rules, such as a writable root and mounts of the store, or its warnings */
function checkConfig(
  host: Host,
  { tree, folder }: ExportsSubject,
  exports: ImageExports,
  { text, values }: { readonly text: string; readonly values: TemplateValues },
): AtomicError | readonly string[] {
  const deployment = { folder: String(values.DESTDIR), config: `${folder}/${nameConfig(exports)}` };
  return tryToRead(() => checkRenderedConfig(host, { tree, exports, text }, deployment).warnings);
}

async function lintTmpfiles(
  host: Host,
  exports: ImageExports,
  tmpfiles: Part<string>,
  values: TemplateValues,
): Promise<readonly Finding[]> {
  if (tmpfiles.kind !== 'rendered' || exports.tmpfilesTemplate === undefined) return [];
  const file = 'tmpfiles.template';
  const text = tmpfiles.value;
  const outside = listTmpfilesPrivileges(text, listNamedFolders(String(values.NAME), values)).map(
    ({ subject }) =>
      buildExportsFinding('tmpfiles-outside', {
        ...{ file, where: `'${subject}'` },
        problem:
          'changes a path outside the folders of the container, $STATE_DIRECTORY/$NAME and $RUN_DIRECTORY/$NAME',
      }),
  );
  const fault = await findFault(host, text.slice(text.indexOf('\n') + 1));
  const bad =
    fault === undefined
      ? []
      : [
          buildExportsFinding('bad-tmpfiles', {
            ...{ file, where: '' },
            problem: `systemd-tmpfiles refuses it: ${fault}`,
          }),
        ];
  return [...bad, ...outside];
}

/** Images are also built on machines without systemd. */
async function findFault(host: Host, text: string): Promise<string | undefined> {
  try {
    return await findTmpfilesFault(host, text);
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'TOOL_MISSING') return undefined;
    throw error;
  }
}
