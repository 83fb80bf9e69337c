import { describe, expect, test } from 'bun:test';
import { parseContainerName } from '../../../src/containers/render/container-name.ts';
import {
  buildInstallValues,
  choosesPidfileMode,
  forcedVariables,
  systemVariables,
  type ValueFacts,
} from '../../../src/containers/render/values/values.ts';
import { catchError } from '../../support/thrown-error.ts';

const facts: ValueFacts = {
  name: parseContainerName('etcd'),
  deployment: '/var/lib/containers/atomic/etcd.0',
  runtime: '/usr/bin/runc',
  runtimeSupportsSystemdCgroup: true,
  pidfileMode: false,
  uid: 0,
  gid: 0,
  imageName: 'gscrivano/etcd',
  imageId: 'd7c1702506ff',
  uuid: '11111111-2222-4333-8444-555555555555',
  lastCapability: 2,
  program: '/usr/bin/atomic',
};

describe('buildInstallValues', () => {
  test('has every variable of the system', () => {
    expect(buildInstallValues(facts, {}, {})).toEqual({
      DESTDIR: '/var/lib/containers/atomic/etcd.0',
      NAME: 'etcd',
      EXEC_START: "/usr/bin/runc --systemd-cgroup run 'etcd'",
      EXEC_STOP: "/usr/bin/runc --systemd-cgroup kill 'etcd'",
      EXEC_STARTPRE: '',
      EXEC_STOPPOST: '',
      HOST_UID: 0,
      HOST_GID: 0,
      IMAGE_NAME: 'gscrivano/etcd',
      IMAGE_ID: 'd7c1702506ff',
      RUN_DIRECTORY: '/run',
      PIDFILE: '/run/container-etcd.pid',
      CONF_DIRECTORY: '/etc',
      STATE_DIRECTORY: '/var/lib',
      UUID: '11111111-2222-4333-8444-555555555555',
      ALL_PROCESS_CAPABILITIES: '"CAP_CHOWN",\n"CAP_DAC_OVERRIDE",\n"CAP_DAC_READ_SEARCH"\n',
      RUNTIME: '/usr/bin/runc',
      ATOMIC: '/usr/bin/atomic',
    });
  });

  test('without a manifest every variable is forced or of the system', () => {
    expect(Object.keys(buildInstallValues(facts, {}, {})).sort()).toEqual(
      [...forcedVariables, ...systemVariables].sort(),
    );
  });

  test('in pidfile mode the runtime is detached', () => {
    const values = buildInstallValues({ ...facts, pidfileMode: true }, {}, {});
    expect([values.EXEC_START, values.EXEC_STOP, values.EXEC_STOPPOST]).toEqual([
      "/usr/bin/runc  --systemd-cgroup run -d --pid-file /run/container-etcd.pid 'etcd'",
      '',
      "/usr/bin/runc delete 'etcd'",
    ]);
  });

  test('a runtime without --systemd-cgroup is called without it', () => {
    const plain = { ...facts, runtime: '/bin/ls', runtimeSupportsSystemdCgroup: false };
    const values = buildInstallValues(plain, {}, {});
    const detached = buildInstallValues({ ...plain, pidfileMode: true }, {}, {});
    expect([values.EXEC_START, values.EXEC_STOP, detached.EXEC_START]).toEqual([
      "/bin/ls run 'etcd'",
      "/bin/ls kill 'etcd'",
      "/bin/ls run -d --pid-file /run/container-etcd.pid 'etcd'",
    ]);
  });

  test('forced beats --set beats the system beats the manifest', () => {
    const set = { NAME: 'set', CONF_DIRECTORY: '/set', PORT: 'set' };
    const defaults = {
      NAME: 'default',
      CONF_DIRECTORY: '/default',
      STATE_DIRECTORY: '/default',
      PORT: 'default',
      HOST: 'h',
    };
    const values = buildInstallValues(facts, set, defaults);
    expect([values.NAME, values.CONF_DIRECTORY, values.STATE_DIRECTORY, values.PORT, values.HOST]).toEqual([
      'etcd',
      '/set',
      '/var/lib',
      'set',
      'h',
    ]);
  });

  test('a UUID of the manifest beats the random one, and one that was set beats both', () => {
    expect(buildInstallValues(facts, {}, { UUID: 'm' }).UUID).toBe('m');
    expect(buildInstallValues(facts, { UUID: 's' }, { UUID: 'm' }).UUID).toBe('s');
  });

  test('the PID file follows RUN_DIRECTORY, and EXEC_START follows the PID file', () => {
    const detached = { ...facts, pidfileMode: true };
    expect(buildInstallValues(detached, { RUN_DIRECTORY: '/run/x' }, {}).EXEC_START).toContain(
      '--pid-file /run/x/container-etcd.pid ',
    );
    expect(buildInstallValues(detached, { PIDFILE: '/run/e.pid' }, {}).EXEC_START).toContain(
      '--pid-file /run/e.pid ',
    );
  });

  test('RUNTIME may be set, and EXEC_START does not follow it', () => {
    const values = buildInstallValues(facts, { RUNTIME: '/opt/runc' }, {});
    expect([values.RUNTIME, values.EXEC_START]).toEqual([
      '/opt/runc',
      "/usr/bin/runc --systemd-cgroup run 'etcd'",
    ]);
  });

  test('knows the 41 capabilities up to CAP_CHECKPOINT_RESTORE, and no more on a newer kernel', () => {
    const list = String(
      buildInstallValues({ ...facts, lastCapability: 40 }, {}, {}).ALL_PROCESS_CAPABILITIES,
    );
    expect(JSON.parse(`[${list}]`)).toHaveLength(41);
    expect(list).toEndWith('"CAP_BPF",\n"CAP_CHECKPOINT_RESTORE"\n');
    const newer = buildInstallValues({ ...facts, lastCapability: 45 }, {}, {}).ALL_PROCESS_CAPABILITIES;
    expect(newer).toBe(list);
  });

  test('a name called __proto__ is a value like others', () => {
    const values = buildInstallValues(facts, Object.fromEntries([['__proto__', 'x']]), {});
    expect(Object.hasOwn(values, '__proto__')).toBe(true);
  });

  test.each(['/opt/my runtime', '/opt/%n', '/opt/$X', "/opt/'", 'runc', '/opt/a\nb'])(
    'refuses the runtime %j, which a unit cannot run',
    (runtime) => {
      expect(catchError(() => buildInstallValues({ ...facts, runtime }, {}, {})).code).toBe('BAD_VALUE');
    },
  );

  test('refuses a folder that a unit would read as something else', () => {
    expect(catchError(() => buildInstallValues({ ...facts, deployment: '/srv/50%/etcd.0' }, {}, {}))).toEqual(
      {
        code: 'BAD_VALUE',
        message: "Cannot use the folder '/srv/50%/etcd.0': it cannot stand in a unit",
        hint: "Choose an absolute path of letters, digits and '_./+:@-'; a symbolic link will do.",
      },
    );
  });
});

test.each<[string | undefined, boolean, boolean]>([
  ['ExecStopPost=$EXEC_STOPPOST\nPIDFile=$PIDFILE', true, true],
  ['ExecStopPost=$EXEC_STOPPOST\nPIDFile=$PIDFILE', false, false],
  ['ExecStopPost=${EXEC_STOPPOST}\nPIDFile=$PIDFILE', true, false],
  ['ExecStopPost=$EXEC_STOPPOST', true, false],
  ['PIDFile=$PIDFILE', true, false],
  [undefined, true, false],
])('choosesPidfileMode(%j, %p) is %p', (template, supported, expected) => {
  expect(choosesPidfileMode(template, supported)).toBe(expected);
});
