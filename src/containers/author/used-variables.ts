/** The variables that the templates of an image or of a folder use. */
import { AtomicError } from '../../base/errors.ts';
import { listHostFileTemplates } from '../prepare/list-host-files.ts';
import { type ExportsSubject, isAboutHost } from '../prepare/preview-exports.ts';
import { type ImageExports, readTemplates } from '../prepare/read-exports.ts';
import { requireUsedNames } from '../render/values/known-variables.ts';
import { listVariables, type TemplateValues } from '../render/values/template.ts';

/** Host files that cannot be listed are reported elsewhere. */
export function listUsed(
  subject: ExportsSubject,
  { manifest }: ImageExports,
  values: TemplateValues,
): ReadonlySet<string> {
  const host = tryToRead(() => listHostFileTemplates(subject, manifest, values));
  const texts = [
    ...readTemplates(subject.tree),
    ...Object.values(manifest.renameFiles),
    ...(host instanceof AtomicError ? [] : host.map(({ text }) => text)),
  ];
  return new Set(texts.flatMap(listVariables));
}

/** @throws BAD_VALUE for a name that nothing uses */
export function requireUsedValues(
  subject: ExportsSubject,
  exports: ImageExports,
  values: TemplateValues,
  names: readonly string[],
): void {
  const used = listUsed(subject, exports, values);
  const { defaultValues, variables } = exports.manifest;
  requireUsedNames(names, [...Object.keys(defaultValues), ...variables.keys(), ...used]);
}

/** @returns the error, when it is about the files */
export function tryToRead<T>(action: () => T): T | AtomicError {
  try {
    return action();
  } catch (error) {
    if (error instanceof AtomicError && !isAboutHost(error)) return error;
    throw error;
  }
}
