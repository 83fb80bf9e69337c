/** Renders the files of `/exports` of an image or of a folder as an install would, for their author. */
import { AtomicError, rewordError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { findSuggestion } from '../../base/suggest.ts';
import type { Host } from '../../host/host.ts';
import { listHostFileTemplates } from '../prepare/list-host-files.ts';
import { buildPreviewValues, type Part, previewExports, previewName } from '../prepare/preview-exports.ts';
import { readExports } from '../prepare/read-exports.ts';
import { parseContainerName } from '../render/container-name.ts';
import type { GivenValues } from '../render/values/set-option.ts';
import { substituteTemplate } from '../render/values/template.ts';
import { withExportsSubject } from './exports-subject.ts';
import { requireUsedValues } from './used-variables.ts';

export interface RenderedFile {
  /** `config.json`, `service`, `tmpfiles`, or the path of a host file that is a template. */
  readonly name: string;
  readonly text: string;
}

interface RenderRequest {
  readonly given: GivenValues;
  /** Name of the container. */
  readonly name: string | undefined;
  /** One of the names of `RenderedFile`, with or without `.template`; undefined for all files. */
  readonly file: string | undefined;
}

/**
 * @param written an image or a folder
 * @throws BAD_VALUE for a file that an install would not write, TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE, CONFIG_INVALID,
 *   EXPORTS_INVALID; as `withExportsSubject`
 */
export async function renderSubject(
  host: Host,
  written: string,
  { given, name, file }: RenderRequest,
): Promise<readonly RenderedFile[]> {
  const container = name === undefined ? previewName : parseContainerName(name);
  return withExportsSubject(host, written, async (reading, subject) => {
    const exports = readExports(subject.tree, subject.folder, subject.label);
    const values = buildPreviewValues(reading, subject, exports, { name: container, set: given.values });
    requireUsedValues(subject, exports, values, given.checkedNames);
    const { config, unit, tmpfiles } = await previewExports(reading, subject, exports, values);
    const parts: readonly (readonly [string, Part<string>])[] = [
      ['config.json', config],
      ['service', unit],
      ['tmpfiles', tmpfiles],
    ];
    const templates = listHostFileTemplates(subject, exports.manifest, values);
    const wanted = file?.replace(/\.template$/, '');
    const names = [...parts.map(([part]) => part), ...templates.map(({ path }) => path)];
    if (wanted !== undefined && !names.includes(wanted)) throw buildUnknown(wanted, names);
    const isWanted = (candidate: string) => wanted === undefined || candidate === wanted;
    const rendered = [
      ...parts
        .filter(([part]) => isWanted(part))
        .flatMap(([part, content]) => {
          if (content.kind === 'failed') throw adviseRender(content.error);
          return content.kind === 'absent' ? [] : [{ name: part, text: content.value }];
        }),
      ...templates
        .filter(({ path }) => isWanted(path))
        .map(({ path, text }) => ({ name: path, text: substitute(text, values, path) })),
    ];
    if (wanted !== undefined && rendered.length === 0) throw buildAbsent(wanted, subject.label);
    return rendered;
  });
}

function substitute(...template: Parameters<typeof substituteTemplate>): string {
  try {
    return substituteTemplate(...template);
  } catch (error) {
    throw error instanceof AtomicError ? adviseRender(error) : error;
  }
}

function adviseRender(error: AtomicError): AtomicError {
  const unset = Array.isArray(error.details?.unset) ? error.details.unset.map(String) : [];
  if (unset.length === 0) return error;
  const options = unset.map((variable) => `--set ${variable}=VALUE`).join(' ');
  return rewordError(error, error.message, `Give it a value: atomic render ${options} ...`);
}

function buildUnknown(wanted: string, names: readonly string[]): AtomicError {
  const meant = findSuggestion(wanted, names);
  const proposal = meant === undefined ? '' : `Did you mean ${toPrintable(meant)}? `;
  return new AtomicError('BAD_VALUE', `Cannot render '${toPrintable(wanted, 200)}': no such file`, {
    hint: `${proposal}The files are ${names.map((name) => toPrintable(name)).join(', ')}.`,
  });
}

function buildAbsent(wanted: string, label: string): AtomicError {
  return new AtomicError(
    'BAD_VALUE',
    `Cannot render ${wanted}: ${toPrintable(label)} has no template for it, and an install writes none of its own`,
    { hint: 'The default configuration is made of an image: name a stored image.' },
  );
}
