import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AtomicError } from '../../../src/base/errors.ts';
import { checkInstalledRoot } from '../../../src/containers/render/config/check-runtime-config.ts';
import { buildDefaultRuntimeConfig } from '../../../src/containers/render/config/default-runtime-config.ts';
import { listBindSources, parseRuntimeConfig } from '../../../src/containers/render/config/runtime-config.ts';
import { parseContainerName } from '../../../src/containers/render/container-name.ts';
import {
  emptyExportsManifest,
  parseExportsManifest,
} from '../../../src/containers/render/exports-manifest.ts';
import { buildTmpfiles } from '../../../src/containers/render/tmpfiles/tmpfiles.ts';
import { buildUnit } from '../../../src/containers/render/unit/unit.ts';
import { parseAssignment } from '../../../src/containers/render/values/set-option.ts';
import { substituteTemplate } from '../../../src/containers/render/values/template.ts';
import { buildInstallValues, choosesPidfileMode } from '../../../src/containers/render/values/values.ts';
import { parseImageConfig } from '../../../src/image/configuration-blob.ts';
import { resolveUser } from '../../../src/image/user-lookup.ts';

/*
 * One folder a case: the files of /exports, `values.json` and, where the defaults need it, the image's configuration
 * blob `image.json` go in; the files in `expected` come out, or `error.json`.
 *
 * UPDATE_GOLDEN=1 writes `expected` anew; read the difference before you commit it.
 */
const goldenFolder = join(import.meta.dir, '../../golden/exports');

interface CaseValues {
  readonly name: string;
  /** `--set` options. */
  readonly set?: readonly string[];
  readonly hasRunScript?: boolean;
  /** Host paths that exist. */
  readonly hostPaths?: readonly string[];
}

type Outcome = Readonly<Record<string, string>>;

describe('exports', () => {
  for (const name of readdirSync(goldenFolder).sort()) {
    test(name, () => {
      const folder = join(goldenFolder, name);
      const outcome = renderCase(folder);
      if (process.env.UPDATE_GOLDEN === '1') writeExpected(folder, outcome);
      expect(outcome).toEqual(readExpected(folder));
    });
  }
});

function renderCase(folder: string): Outcome {
  try {
    return renderFiles(folder);
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    const { code, message, hint } = error;
    return { 'error.json': `${JSON.stringify({ code, message, hint }, undefined, 2)}\n` };
  }
}

function renderFiles(folder: string): Outcome {
  const caseValues: CaseValues = JSON.parse(readFileSync(join(folder, 'values.json'), 'utf8'));
  const unitTemplate = readTemplate(folder, 'service.template');
  const configTemplate = readTemplate(folder, 'config.json.template');
  const manifestText = readIfThere(folder, 'manifest.json');
  const manifest =
    manifestText === undefined ? emptyExportsManifest : parseExportsManifest(manifestText, caseValues.name);
  const imageConfig = parseImageConfig(readIfThere(folder, 'image.json') ?? '{}', caseValues.name);
  const name = parseContainerName(caseValues.name);
  const pidfileMode = choosesPidfileMode(unitTemplate?.text, true);
  const values = buildInstallValues(
    {
      name,
      deployment: `/var/lib/containers/atomic/${name}.0`,
      runtime: '/usr/bin/runc',
      runtimeSupportsSystemdCgroup: true,
      pidfileMode,
      uid: 0,
      gid: 0,
      imageName: `gscrivano/${name}`,
      imageId: 'd7c1702506ff',
      uuid: '11111111-2222-4333-8444-555555555555',
      lastCapability: 40,
      program: '/usr/bin/atomic',
    },
    Object.fromEntries((caseValues.set ?? []).map((word) => Object.values(parseAssignment(word, '--set')))),
    manifest.defaultValues,
  );
  const hostPaths = caseValues.hostPaths ?? [];
  const configText =
    configTemplate === undefined
      ? buildDefaultRuntimeConfig({
          hasRunScript: caseValues.hasRunScript ?? false,
          init: undefined,
          volumes: [],
          runFolders: [],
          imageConfig,
          user: resolveUser(imageConfig.user, { passwd: '', group: '' }),
          hostFiles: hostPaths,
        })
      : substituteTemplate(configTemplate.text, values, configTemplate.file);
  const config = parseRuntimeConfig(configText, 'config.json');
  checkInstalledRoot(config, 'config.json');
  const marker = { name, deployment: 0, checkouts: '/var/lib/containers/atomic' };
  const tmpfiles = buildTmpfiles(
    {
      template: readTemplate(folder, 'tmpfiles.template'),
      marker,
      missingSources: listBindSources(config).filter((path) => !hostPaths.includes(path)),
      uid: 0,
      gid: 0,
    },
    values,
  );
  return {
    'config.json': configText,
    unit: buildUnit({ template: unitTemplate, marker, stopSignal: imageConfig.stopSignal }, values),
    ...(tmpfiles === undefined ? {} : { tmpfiles }),
  };
}

function readTemplate(folder: string, file: string): { text: string; file: string } | undefined {
  const text = readIfThere(folder, file);
  return text === undefined ? undefined : { text, file };
}

function readIfThere(folder: string, file: string): string | undefined {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function readExpected(folder: string): Outcome {
  const expected = join(folder, 'expected');
  return Object.fromEntries(
    readdirSync(expected).map((file) => [file, readFileSync(join(expected, file), 'utf8')]),
  );
}

function writeExpected(folder: string, outcome: Outcome): void {
  const expected = join(folder, 'expected');
  mkdirSync(expected, { recursive: true });
  for (const [file, text] of Object.entries(outcome)) writeFileSync(join(expected, file), text);
}
