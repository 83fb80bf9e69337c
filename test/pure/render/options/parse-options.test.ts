import { describe, expect, test } from 'bun:test';
import { parseEnvironmentFile } from '../../../../src/containers/render/options/environment-options.ts';
import { parseOptions } from '../../../../src/containers/render/options/parse-options.ts';
import type { ServiceOptions } from '../../../../src/containers/render/options/service-options.ts';
import { catchError } from '../../../support/thrown-error.ts';

type Case = readonly [options: ServiceOptions, message: string, hint?: string];

test.each<[ServiceOptions, object]>([
  [
    { volume: ['/srv/a//:/data/', '/b:/c:ro', '/d:/dev/log:rw'] },
    {
      volumes: [
        { source: '/srv/a', destination: '/data', isReadOnly: false },
        { source: '/b', destination: '/c', isReadOnly: true },
        { source: '/d', destination: '/dev/log', isReadOnly: false },
      ],
    },
  ],
  [{ tmpfs: ['/t'] }, { tmpfs: [{ destination: '/t', options: [] }] }],
  [
    { tmpfs: ['/t:size=64m,mode=0700,uid=5,noexec'] },
    { tmpfs: [{ destination: '/t', options: ['size=64m', 'mode=0700', 'uid=5', 'noexec'] }] },
  ],
  [
    { env: ['A=', 'B=x=y'] },
    {
      variables: [
        { name: 'A', value: '' },
        { name: 'B', value: 'x=y' },
      ],
    },
  ],
  [{ 'cap-add': ['net_admin', 'CAP_KILL', 'all'] }, { added: ['CAP_NET_ADMIN', 'CAP_KILL', 'ALL'] }],
  [{ device: ['/dev/fuse'] }, { devices: [{ source: '/dev/fuse', path: '/dev/fuse', access: 'rwm' }] }],
  [{ device: ['/dev/a:r'] }, { devices: [{ source: '/dev/a', path: '/dev/a', access: 'r' }] }],
  [{ device: ['/dev/a:/dev/b'] }, { devices: [{ source: '/dev/a', path: '/dev/b', access: 'rwm' }] }],
  [{ device: ['/dev/a:/dev/b:rw'] }, { devices: [{ source: '/dev/a', path: '/dev/b', access: 'rw' }] }],
  [{ memory: ['6m'] }, { memory: 6 * 2 ** 20 }],
  [{ memory: ['1.5G'] }, { memory: 1.5 * 2 ** 30 }],
  [{ memory: ['512MiB'] }, { memory: 512 * 2 ** 20 }],
  [{ memory: ['8388608'] }, { memory: 8 * 2 ** 20 }],
  [{ cpus: ['1.5'] }, { cpuQuota: 150_000 }],
  [{ cpus: ['.5'] }, { cpuQuota: 50_000 }],
  [{ cpus: ['0.01'] }, { cpuQuota: 1000 }],
  [{ 'pids-limit': ['4194304'] }, { pids: 4_194_304 }],
  [{ 'stop-timeout': ['90'] }, { stopTimeout: 90 }],
  [{ ulimit: ['nofile=10'] }, { ulimits: [{ name: 'nofile', soft: 10n, hard: 10n }] }],
  [
    { ulimit: ['core=0:unlimited', 'stack=-1'] },
    {
      ulimits: [
        { name: 'core', soft: 0n, hard: 2n ** 64n - 1n },
        { name: 'stack', soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n },
      ],
    },
  ],
  [{ network: ['none'] }, { network: 'none' }],
  [{ 'security-opt': ['seccomp=unconfined'] }, { seccomp: { kind: 'unconfined' } }],
  [{ 'security-opt': ['seccomp=/a=b:c'] }, { seccomp: { kind: 'profile', path: '/a=b:c' } }],
  [{ entrypoint: ['/bin/a b'] }, { entrypoint: ['/bin/a b'] }],
  [{ entrypoint: ['["/bin/a", "b"]'] }, { entrypoint: ['/bin/a', 'b'] }],
  [{ args: ['-a', ''] }, { args: ['-a', ''] }],
])('%j', (options, changes) => {
  expect(parseOptions(options)).toMatchObject(changes);
});

describe('refused', () => {
  const noForm = 'it does not have the form SOURCE:DESTINATION[:ro]';
  test.each<Case>([
    [{ volume: ['/data'] }, `--volume '/data': ${noForm}`],
    [{ volume: ['/a:/b:ro:z'] }, `--volume '/a:/b:ro:z': ${noForm}`],
    [{ volume: [':/b'] }, "--volume ':/b': the source '' is not an absolute path"],
    [{ volume: ['data:/b'] }, "--volume 'data:/b': the source 'data' is not an absolute path"],
    [{ volume: ['./data:/b'] }, "--volume './data:/b': the source './data' is not an absolute path"],
    [{ volume: ['/a:b'] }, "--volume '/a:b': 'b' is not an absolute path"],
    [{ volume: ['/a:/'] }, "--volume '/a:/': the destination is the root of the container"],
    [{ volume: ['/a:/./'] }, "--volume '/a:/./': the destination is the root of the container"],
    [{ volume: ['/a:/b/../../'] }, "--volume '/a:/b/../../': '/b/../../' contains .."],
    [{ volume: ['/:/host'] }, "--volume '/:/host': the source is the root of the host"],
    [{ volume: ['/a:/proc/sys'] }, "--volume '/a:/proc/sys': /proc/sys belongs to the kernel"],
    [{ volume: ['/a:/dev'] }, "--volume '/a:/dev': /dev belongs to the kernel"],
    [
      { volume: ['/a:/b:Z'] },
      "--volume '/a:/b:Z': the option 'Z' is not supported: SELinux labels do not change",
    ],
    [{ volume: ['/a:/b', '/c:/b/'] }, "--volume '/a:/b' and --volume '/c:/b/' overlap in the container"],
    [{ volume: ['/a:/b/c', '/d:/b'] }, "--volume '/a:/b/c' and --volume '/d:/b' overlap in the container"],
    [{ volume: ['/a:/b'], tmpfs: ['/b/c'] }, "--tmpfs '/b/c' and --volume '/a:/b' overlap in the container"],
    [{ tmpfs: ['/t:size=0'] }, "--tmpfs '/t:size=0': the option 'size=0' is not supported"],
    [{ tmpfs: ['/t:'] }, "--tmpfs '/t:': the option '' is not supported"],
    [{ tmpfs: ['/t:dev'] }, "--tmpfs '/t:dev': the option 'dev' is not supported"],
    [{ env: ['A'] }, "--env 'A': 'A' has no ="],
    [{ env: ['=x'] }, "--env '=x': it has no name"],
    [{ env: ['A B=x'] }, "--env 'A B=x': its name 'A B' contains a blank or a control character"],
    [{ env: ['A=\0'] }, "--env 'A=': it contains a NUL character"],
    [{ user: [''] }, "--user '': it does not have the form USER[:GROUP]"],
    [{ user: ['a:b:c'] }, "--user 'a:b:c': it does not have the form USER[:GROUP]"],
    [{ user: ['a:'] }, "--user 'a:': it does not have the form USER[:GROUP]"],
    [
      { 'cap-add': ['NET_ADMN'] },
      "--cap-add 'NET_ADMN': there is no such capability",
      'Did you mean CAP_NET_ADMIN?',
    ],
    [{ 'security-opt': ['seccomp'] }, "--security-opt 'seccomp': only the seccomp filter can be chosen"],
    [{ 'security-opt': ['seccomp=a'] }, "--security-opt 'seccomp=a': 'a' is not an absolute path"],
    [
      { 'security-opt': ['no-new-privileges'] },
      "--security-opt 'no-new-privileges': the default configuration has it, and the configuration of an image says it itself",
    ],
    [
      { 'security-opt': ['label=disable'] },
      "--security-opt 'label=disable': the label is process.selinuxLabel of config.json",
    ],
    [{ 'cap-drop': ['everything'] }, "--cap-drop 'everything': there is no such capability"],
    [{ 'cap-add': ['KILL'], 'cap-drop': ['cap_kill'] }, '--cap-add and --cap-drop both name CAP_KILL'],
    [{ device: ['fuse'] }, "--device 'fuse': it does not have the form SOURCE[:DESTINATION][:ACCESS]"],
    [
      { device: ['/dev/a:/dev/b:x'] },
      "--device '/dev/a:/dev/b:x': it does not have the form SOURCE[:DESTINATION][:ACCESS]",
    ],
    [{ device: ['/dev/a:rr'] }, "--device '/dev/a:rr': 'rr' is not an absolute path"],
    [{ memory: ['1k'] }, "--memory '1k': it is less than 6 MiB, and the container could not start"],
    [{ memory: ['0'] }, "--memory '0': it is less than 6 MiB, and the container could not start"],
    [{ memory: ['-1'] }, "--memory '-1': it is no size of memory"],
    [{ memory: ['1x'] }, "--memory '1x': it is no size of memory"],
    [{ memory: [''] }, "--memory '': it is no size of memory"],
    [{ memory: ['9999999t'] }, "--memory '9999999t': it is more than any machine has"],
    [{ cpus: ['0'] }, "--cpus '0': it is no number from 0.01 to 8192"],
    [{ cpus: ['-1'] }, "--cpus '-1': it is no number from 0.01 to 8192"],
    [{ cpus: ['1e3'] }, "--cpus '1e3': it is no number from 0.01 to 8192"],
    [{ 'pids-limit': ['0'] }, "--pids-limit '0': it is no whole number from 1 to 4194304"],
    [{ 'pids-limit': ['-1'] }, "--pids-limit '-1': it is no whole number from 1 to 4194304"],
    [
      { 'pids-limit': ['99999999999999999999'] },
      "--pids-limit '99999999999999999999': it is no whole number from 1 to 4194304",
    ],
    [{ 'stop-timeout': ['10s'] }, "--stop-timeout '10s': it is no whole number from 1 to 86400"],
    [{ ulimit: ['nofile'] }, "--ulimit 'nofile': it does not have the form NAME=SOFT[:HARD]"],
    [{ ulimit: ['nofile=-2'] }, "--ulimit 'nofile=-2': it does not have the form NAME=SOFT[:HARD]"],
    [
      { ulimit: ['nofile=18446744073709551616'] },
      "--ulimit 'nofile=18446744073709551616': it does not have the form NAME=SOFT[:HARD]",
    ],
    [{ ulimit: ['nofiles=1'] }, "--ulimit 'nofiles=1': there is no limit 'nofiles'", 'Did you mean nofile?'],
    [{ ulimit: ['core=2:1'] }, "--ulimit 'core=2:1': the soft limit is above the hard limit"],
    [{ network: ['bridge'] }, "--network 'bridge': it is neither host nor none"],
    [{ entrypoint: [''] }, "--entrypoint '': it names no program"],
    [{ entrypoint: ['[]'] }, "--entrypoint '[]': it names no program"],
    [{ entrypoint: ['["a", 1]'] }, `--entrypoint '["a", 1]': it is no JSON array of words`],
    [{ entrypoint: ['["a"'] }, `--entrypoint '["a"': it is no JSON array of words`],
  ])('%j', (...[options, message, hint]: Case) => {
    const error = catchError(() => parseOptions(options));
    expect(error).toMatchObject({ code: 'BAD_VALUE', message, ...(hint === undefined ? {} : { hint }) });
    expect(error?.hint).not.toBe('');
  });
});

describe('a file of variables', () => {
  test('has one on a line', () => {
    expect(parseEnvironmentFile('# words\nA=1\n\nB= x "y" \nC=', 'f')).toEqual(['A=1', 'B= x "y" ', 'C=']);
  });
  test.each([
    ['A=1\nB=2\r\n', 'line 2 ends with a carriage return'],
    ['\r\n', 'line 1 ends with a carriage return'],
    ['A=1\nB\n', "line 2 is no variable: 'B' has no ="],
    ['export A=1', "line 1 is no variable: its name 'export A' contains a blank or a control character"],
    [' A=1', "line 1 is no variable: its name ' A' contains a blank or a control character"],
    ['=1', 'line 1 is no variable: it has no name'],
    ['A="x y"', 'line 1 has a value in quotes: A="x y"'],
    ["A='x'", "line 1 has a value in quotes: A='x'"],
  ])('%j is refused', (text, reason) => {
    expect(catchError(() => parseEnvironmentFile(text, '/etc/web.env'))).toMatchObject({
      code: 'BAD_VALUE',
      message: `--env-file /etc/web.env: ${reason}`,
    });
  });
});
