import { toPrintable } from '../../base/printable.ts';
import { formatSize } from '../../cli/output/format-size.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { ImageInfo } from '../../containers/prepare/read-image-info.ts';
import type { ImageVariables } from '../../containers/render/values/image-variables.ts';

/** The longest default value that is shown, in characters. */
const MAX_VALUE = 10_000;
/** The original printed these words for a value that the system provides, and for one that must be set. */
const SET_BY_SYSTEM = '{SET_BY_OS}';
const NO_DEFAULT = '{DEF_VALUE}';

/** Formats `images info` in the words of the original (compatibility M-40), and the sizes. */
export function formatImageInfo({ image, labels, variables, asks, size }: ImageInfo): string {
  const sections = [
    [
      `Image Name: ${toPrintable(image.reference)}`,
      ...Object.entries(labels)
        .map(([name, value]) => formatPair(name, value))
        .sort(),
    ],
    formatSection(
      'Template variables with default value, but overridable with --set:',
      [...variables.optional].map(([name, value]) => formatPair(name, value ?? SET_BY_SYSTEM)),
    ),
    formatSection(
      'Template variables that has no default value, and must be set with --set:',
      variables.required.map((name) => formatPair(name, NO_DEFAULT)),
    ),
    formatSection('The image says about its variables and secrets:', formatDeclared(variables)),
    formatSection('Asks of the host, with the default values:', [
      ...formatPrivileges(asks.privileges),
      ...asks.unknown.map((reason) => `not known: ${toPrintable(reason)}`),
    ]),
    [
      `Size on disk: ${formatSize(size.whole)}`,
      `Shared with other images: ${formatSize(size.shared)}`,
      `Only in this image: ${formatSize(size.own)}`,
    ],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n\n');
}

/** Builds the document of `images info --json`; for a default of null the system provides the value. */
export function buildImageInfoJson({
  image,
  labels,
  variables,
  asks,
  size,
}: ImageInfo): Record<string, unknown> {
  return {
    schemaVersion: 1,
    reference: image.reference,
    id: image.id,
    labels,
    variables: {
      optional: Object.fromEntries([...variables.optional].map(([name, value]) => [name, value ?? null])),
      required: variables.required,
      declared: Object.fromEntries(
        [...variables.declared].map(([name, { type, help, isRequired, isSecret, choices }]) => [
          name,
          { type, help, required: isRequired, secret: isSecret, choices },
        ]),
      ),
    },
    asks: asks.privileges,
    asks_unknown: asks.unknown,
    size: { bytes: size.whole, shared_bytes: size.shared, own_bytes: size.own },
  };
}

/** `PORT: port, required. The port of the service` */
function formatDeclared({ declared }: ImageVariables): readonly string[] {
  return [...declared].sort().map(([name, { type, help, isRequired, isSecret, choices }]) => {
    const words = [
      isSecret ? `secret, given with --secret ${name}=PATH` : type,
      ...(choices.length === 0 ? [] : [`one of ${choices.join(', ')}`]),
      ...(isRequired ? ['required'] : []),
    ].join(', ');
    return formatPair(name, help === '' ? words : `${words}. ${help}`);
  });
}

function formatSection(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [heading, ...lines];
}

function formatPair(name: string, value: string): string {
  return `${toPrintable(name)}: ${toPrintable(value, MAX_VALUE)}`;
}
