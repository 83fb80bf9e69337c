import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { formatMarker, type GeneratedMarker } from '../unit/generated-marker.ts';
import { substituteTemplate, type TemplateValues } from '../values/template.ts';

interface TmpfilesFacts {
  /** The `tmpfiles.template` of the image; `undefined` when it has none (compatibility E-05). */
  readonly template: { readonly text: string; readonly file: string } | undefined;
  readonly marker: GeneratedMarker;
  /** Bind sources of `config.json` that do not exist on the host; used only without a template. */
  readonly missingSources: readonly string[];
  /** Owner of the folders that the lines create. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * Builds the text of the tmpfiles.d file.
 *
 * @returns `undefined` when no folder is missing; then no file is written
 * @throws TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE as `substituteTemplate`; TEMPLATE_INVALID for a NUL character;
 *   CONFIG_INVALID for a bind source that such a file cannot name
 */
export function buildTmpfiles(facts: TmpfilesFacts, values: TemplateValues): string | undefined {
  const text =
    facts.template === undefined
      ? formatFolders(facts)
      : substituteTemplate(facts.template.text, values, facts.template.file);
  if (text.trim() === '') return undefined;
  if (text.includes('\0')) {
    throw new AtomicError(
      'TEMPLATE_INVALID',
      `The template file '${facts.template?.file}' makes a NUL character`,
      {
        hint: 'Check the template and the values of its variables.',
      },
    );
  }
  return `${formatMarker(facts.marker)}\n${text.endsWith('\n') ? text : `${text}\n`}`;
}

/**
 * Formats a line for each folder (compatibility D-12). No line removes the folder later, because it may contain data.
 */
function formatFolders(facts: TmpfilesFacts): string {
  const { missingSources, uid, gid } = facts;
  return missingSources.map((path) => `d    ${formatTmpfilesPath(path)}   0700 ${uid} ${gid} - -\n`).join('');
}

/**
 * Writes a path as one field of tmpfiles.d(5): doubles `%`, because it starts a specifier, and adds quotes when they
 * are needed. It uses only the escapes `\\` and `\"`; systemd 252 knows no others.
 */
export function formatTmpfilesPath(path: string): string {
  if (/[\u0000-\u001f\u007f]/.test(path)) {
    throw new AtomicError(
      'CONFIG_INVALID',
      `Cannot create the bind source '${toPrintable(path)}': it contains a control character`,
      { hint: 'Check the mounts of config.json, or add tmpfiles.template to /exports of the image.' },
    );
  }
  const text = path.replaceAll('%', '%%');
  return /[\\"' ]/.test(text) ? `"${text.replace(/[\\"]/g, '\\$&')}"` : text;
}
