import { formatVersion, release } from '../base/program.ts';
import { formatJson } from '../cli/output/format-json.ts';
import type { ProgramVersion } from '../host/runtime/program-version.ts';
import { imagesVersion } from './images/version.ts';
import { defineCommand } from './options/command.ts';

export const version = defineCommand({
  description: [
    "Shows the version of atomic, the commit that it was built from, and the versions of libostree and of the programs that it calls. 'atomic --version' shows the first two only, and runs no program.",
    "With IMAGE, shows the version of a stored image, as 'atomic images version' does.",
  ],
  operands: {
    image: {
      label: 'IMAGE',
      count: 'optional',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
    },
  },
  options: imagesVersion.options,
  examples: [
    { comment: 'For a report of a bug', commands: ['atomic version'] },
    { comment: 'Show which version of etcd is stored', commands: ['atomic version gscrivano/etcd'] },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands: { image } }, person) {
    if (image !== undefined) return imagesVersion.run(host, { options, operands: { image } }, person);
    const [{ readOstreeVersion, readProgramVersion }, { findSkopeo }] = await Promise.all([
      import('../host/runtime/program-version.ts'),
      import('../source/skopeo/skopeo.ts'),
    ]);
    const programs = await Promise.all([
      readOstreeVersion(),
      readProgramVersion(host, 'skopeo', findSkopeo(host)),
      readProgramVersion(host, 'runc'),
      readProgramVersion(host, 'crun'),
      readProgramVersion(host, 'systemd', 'systemctl'),
    ]);
    if (!options.json) return { text: formatVersion() + programs.map(formatProgram).join('') };
    const described = programs.map(({ name, version: found, path }) => ({
      ...{ name, version: found ?? null, path: path ?? null },
    }));
    return { text: formatJson({ schemaVersion: 1, ...release, programs: described }) };
  },
});

function formatProgram({ name, version: found, path }: ProgramVersion): string {
  if (found === undefined && path === undefined) return `${name} not found\n`;
  return `${name} ${found ?? 'unknown'}${path === undefined ? '' : ` (${path})`}\n`;
}
