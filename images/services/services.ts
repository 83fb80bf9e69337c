/**
 * Ordinary services of Debian, in images as people write them: a base, `apt-get install`, a command; no `/exports`.
 * Each has the command that the package's own unit or the usual Dockerfile has.
 */
import type { ImageConfig } from '../../test/support/oci-image.ts';

export interface ServiceImage {
  readonly packages: readonly string[];
  readonly config: ImageConfig;
  /** A TCP port at which the service answers. */
  readonly port?: number;
  /** What the image lacks, so that the service starts with no program; `install` names it. */
  readonly lacks?: string;
  /** Files that a Dockerfile would add or change. */
  readonly files?: Readonly<Record<string, string>>;
}

export const services = {
  memcached: { packages: ['memcached'], config: { Cmd: ['memcached', '-u', 'memcache'] }, port: 11211 },
  dnsmasq: { packages: ['dnsmasq-base'], config: { Cmd: ['dnsmasq', '-k', '-p', '5353'] }, port: 5353 },
  rsyslog: { packages: ['rsyslog'], config: { Cmd: ['rsyslogd', '-n'] } },
  'node-exporter': {
    packages: ['prometheus-node-exporter'],
    config: { Entrypoint: ['/usr/bin/prometheus-node-exporter'], User: 'nobody' },
    port: 9100,
  },
  registry: {
    packages: ['docker-registry'],
    config: {
      Entrypoint: ['docker-registry'],
      Cmd: ['serve', '/etc/docker/registry/config.yml'],
      Volumes: { '/var/lib/docker-registry': {} },
    },
    port: 5000,
  },
  python: {
    packages: ['python3'],
    config: { Cmd: ['python3', '-m', 'http.server', '8000'], User: '1000', WorkingDir: '/srv' },
    port: 8000,
  },
  cron: { packages: ['cron'], config: { Cmd: ['cron', '-f'] } },
  nginx: {
    packages: ['nginx-light'],
    config: { Cmd: ['nginx', '-g', 'daemon off;'], StopSignal: 'SIGQUIT' },
    port: 80,
  },
  redis: {
    packages: ['redis-server'],
    config: { Cmd: ['redis-server'], User: 'redis', WorkingDir: '/data', Volumes: { '/data': {} } },
    port: 6379,
  },
  lighttpd: {
    packages: ['lighttpd'],
    config: { Cmd: ['lighttpd', '-D', '-f', '/etc/lighttpd/lighttpd.conf'] },
    port: 80,
  },
  apache2: { packages: ['apache2'], config: { Cmd: ['apachectl', '-D', 'FOREGROUND'] }, port: 80 },
  postgresql: {
    packages: ['postgresql'],
    config: {
      Cmd: ['sh', '-c', 'exec /usr/lib/postgresql/*/bin/postgres -D /etc/postgresql/*/main'],
      User: 'postgres',
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'],
      Volumes: { '/var/lib/postgresql': {} },
      StopSignal: 'SIGINT',
    },
    port: 5432,
  },
  mariadb: {
    packages: ['mariadb-server'],
    config: { Cmd: ['mariadbd', '--user=mysql'], Volumes: { '/var/lib/mysql': {} } },
    port: 3306,
  },
  mosquitto: {
    packages: ['mosquitto'],
    config: { Cmd: ['mosquitto', '-c', '/etc/mosquitto/mosquitto.conf'] },
    lacks: '/bin/mkdir -m 740 -p /run/mosquitto',
  },
  haproxy: {
    packages: ['haproxy'],
    config: { Cmd: ['haproxy', '-W', '-db', '-f', '/etc/haproxy/haproxy.cfg'], StopSignal: 'SIGUSR1' },
    files: {
      'etc/haproxy/haproxy.cfg':
        'global\n  stats socket /run/haproxy/admin.sock mode 660\n  user haproxy\n  group haproxy\n' +
        'defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n' +
        'frontend main\n  bind :8080\n  http-request return status 200\n',
    },
    port: 8080,
  },
  openssh: { packages: ['openssh-server'], config: { Cmd: ['/usr/sbin/sshd', '-D', '-e'] }, port: 22 },
  chrony: { packages: ['chrony'], config: { Cmd: ['chronyd', '-d', '-x'] } },
  unbound: {
    packages: ['unbound'],
    config: { Cmd: ['unbound', '-d', '-p'] },
    lacks: '/usr/libexec/unbound-helper root_trust_anchor_update',
  },
} satisfies Readonly<Record<string, ServiceImage>>;

export type ServiceName = keyof typeof services;
