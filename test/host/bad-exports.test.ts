/**
 * Images whose /exports cannot be used: one line with the object and the reason, a hint, and no change or a complete
 * undo.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rm, writeFile } from 'node:fs/promises';
import { atomic } from '../support/atomic.ts';
import type { Registry } from '../support/registry.ts';
import {
  configTemplate,
  type ImageSource,
  openImageSource,
  serviceExports,
  serviceTemplate,
} from './container-images.ts';
import { runCommand } from './support/commands.ts';
import { checkouts, expectRefusal } from './support/refusal.ts';
import { readEnablement } from './support/services.ts';

const configHint =
  'hint: It comes from config.json or config.json.template in /exports of the image, and the --set values.';
const manifestHint = 'hint: Correct /exports/manifest.json and build the image again.';

let images: ImageSource;
let registry: Registry;
/** An installable image that is in the store. */
let service: string;

beforeAll(async () => {
  images = await openImageSource();
  registry = images.registry;
  service = await images.push('service', { exports: serviceExports });
  // Makes the folders of the store, locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
});
afterAll(() => registry.stop());

describe('images that cannot be installed', () => {
  const deployment = (name: string): string => `${checkouts}/${name}.0`;

  test.each<[string, string, Record<string, string>, (config: string) => string, string]>([
    [
      'unset',
      'a variable without a value',
      { 'config.json.template': configTemplate.replace('$WORD', '$WORD $MISSING ${ALSO}') },
      () =>
        `The template file '${deployment('unset')}/rootfs/exports/config.json.template' still contains an unreplaced value for: ''MISSING''`,
      'hint: Give it a value: atomic install --set MISSING=VALUE --set ALSO=VALUE ...',
    ],
    [
      'dollar',
      'a dollar sign that starts no variable',
      { 'service.template': `${serviceTemplate}# costs 5$\n` },
      () =>
        `The template file '${deployment('dollar')}/rootfs/exports/service.template' cannot be used: Invalid placeholder in string: line 12, col 10`,
      'hint: In a template a dollar sign is written as $$; a variable is $NAME or ${NAME}.',
    ],
    [
      'manifest-text',
      'a manifest.json that is not JSON',
      { 'manifest.json': '{"defaultValues": {"WORD": hello}}' },
      () =>
        `Invalid manifest.json file in image: ${registry.address}/test/manifest-text:latest. line 1, column 28: unexpected 'h'`,
      manifestHint,
    ],
    [
      'manifest-shape',
      'a manifest.json of the wrong shape',
      { 'manifest.json': '{"defaultValues": ["WORD"]}' },
      () =>
        `Invalid manifest.json file in image: ${registry.address}/test/manifest-shape:latest. defaultValues must be an object`,
      manifestHint,
    ],
    [
      'config-text',
      'a config.json that is not JSON',
      { 'config.json.template': '{"root": {"path": "rootfs", "readonly": true},}' },
      (config) => `Invalid json in configuration file: ${config}. line 1, column 47: unexpected '}'`,
      configHint,
    ],
    [
      'config-shape',
      'a config.json of the wrong shape',
      { 'config.json.template': '{"root": "rootfs", "process": {"args": ["sh"]}}' },
      (config) => `Invalid configuration file.  root must be an object (${config})`,
      configHint,
    ],
    [
      'no-command',
      'a config.json without a command',
      { 'config.json.template': '{"root": {"path": "rootfs", "readonly": true}}' },
      (config) => `Invalid configuration file.  process.args must name the command to run (${config})`,
      configHint,
    ],
    [
      'writable',
      'a root that is not read-only',
      { 'config.json.template': configTemplate.replace('"readonly":true', '"readonly":false') },
      (config) =>
        `Invalid configuration file.  Only readonly images are supported: root.readonly must be true (${config})`,
      configHint,
    ],
    [
      'other-root',
      'another root',
      { 'config.json.template': configTemplate.replace('"path":"rootfs"', '"path":"/"') },
      (config) => `Invalid configuration file.  Path must be 'rootfs': root.path is '/' (${config})`,
      configHint,
    ],
  ])('%s: %s', async (name, _, files, error, hint) => {
    const image = await images.push(name, { exports: { ...serviceExports, ...files } });
    await atomic(['pull', image]);
    const stderr = [`error: ${error(`${deployment(name)}/config.json`)}`, hint];
    await expectRefusal(['atomic', 'install', '--system', image], { stderr });
    await expectRefusal(['atomic', 'install', '--system', '--display', image], { stderr });
  });

  test('a unit that systemctl cannot enable: everything is undone', async () => {
    const template = serviceTemplate.replace('multi-user.target', 'no-unit');
    const image = await images.push('no-unit', {
      exports: { ...serviceExports, 'service.template': template },
    });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stdout: [`Extracting to ${deployment('no-unit')}`],
      stderr: [
        /^error: installing no-unit: systemctl --no-reload enable no-unit: exit status 1: Failed to enable unit: (?:"no-unit" is not a valid unit name\.|Invalid unit name no-unit)$/,
        'hint: It comes from service.template in /exports of the image, and the --set values.',
      ],
    });
    expect(await readEnablement('no-unit')).toBe('');
    expect(await runCommand(['systemctl', 'cat', 'no-unit'])).toMatchObject({ status: 1 });
  });

  test.each([
    ['no-section', '[Service]', '[Service', "line 4: Invalid section header '[Service'"],
    [
      'not-loaded',
      'ExecStart=',
      'ExecStrat=',
      "line 5: Unknown key 'ExecStrat'.*; Service has no ExecStart=.*Refusing\\.",
    ],
  ])('a unit that systemd refuses (%s): nothing is begun', async (name, from, to, reason) => {
    const template = serviceTemplate.replace(from, to);
    const image = await images.push(name, { exports: { ...serviceExports, 'service.template': template } });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stderr: [
        new RegExp(`^error: load ${name}\\.service: .*${reason.replaceAll('[', '\\[')}.*$`),
        'hint: It comes from service.template in /exports of the image, and the --set values.',
      ],
    });
    expect(await readEnablement(name)).toBe('');
  });

  test.each([
    [
      'no-uts',
      { hostname: 'web' },
      'hostname needs a UTS namespace in linux.namespaces: the runtimes do not start it',
    ],
    [
      'old-list',
      { mounts: [] },
      'mounts has no /proc: runc does not start it, it needs /proc in the container',
    ],
  ])('a configuration that the runtime refuses (%s): nothing is begun', async (name, changed, reason) => {
    const template = JSON.stringify({ ...JSON.parse(configTemplate), ...changed });
    const image = await images.push(name, {
      exports: { ...serviceExports, 'config.json.template': template },
    });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stderr: [
        `error: Invalid configuration file.  ${reason} (${deployment(name)}/config.json)`,
        'hint: It comes from config.json or config.json.template in /exports of the image, and the --set values.',
      ],
    });
  });

  test('a tmpfiles.d file that systemd-tmpfiles refuses', async () => {
    const image = await images.push('bad-tmpfiles', {
      exports: { ...serviceExports, 'tmpfiles.template': '# run\nd run/$NAME 0755 - - -\n' },
    });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stderr: [
        `error: The template file '${deployment('bad-tmpfiles')}/rootfs/exports/tmpfiles.template' makes a file that systemd-tmpfiles refuses: line 2: Path 'run/bad-tmpfiles' not absolute.`,
        'hint: Check the template and the values of its variables.',
      ],
    });
    expect(await readEnablement('bad-tmpfiles')).toBe('');
  });

  test('an image that asks for a single run is refused', async () => {
    const image = await images.push('once', {
      exports: { 'manifest.json': '{"version":"1.0"}', 'config.json.template': '{}' },
      config: { Labels: { 'atomic.run': 'once', 'atomic.type': 'system' } },
    });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stderr: [
        `error: Cannot install ${image}: its label atomic.run=once asks for one run at installation, which is not supported yet; a service would run it at every boot`,
        'hint: Run it with another program, such as podman, or build it without the label to install it as a service.',
      ],
    });
  });

  test.each(['/etc/systemd/system/service.service', '/etc/tmpfiles.d/service.conf'])(
    '%s exists already',
    async (path) => {
      await writeFile(path, '# mine\n');
      try {
        await expectRefusal(['atomic', 'install', '--system', service], {
          stderr: [
            `error: The file ${path} already exists.`,
            'hint: Remove it, or choose another name with --name NAME.',
          ],
        });
      } finally {
        await rm(path);
      }
    },
  );
});
