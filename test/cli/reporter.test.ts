import { describe, expect, test } from 'bun:test';
import type { ProgressEvent } from '../../src/base/events.ts';
import type { Screen, Terminal } from '../../src/cli/progress/progress-display.ts';
import { createReporter } from '../../src/cli/progress/reporter.ts';

/** A screen as a person sees it, with a clock that moves only on request. */
class FakeScreen implements Screen {
  readonly out: string[] = [];
  readonly error: string[] = [];
  lookups = 0;
  private time = 0;
  private readonly timers: { due: number; interval: number; call: () => void }[] = [];
  private readonly terminal: Terminal | undefined;

  constructor(terminal?: Terminal) {
    this.terminal = terminal;
  }

  writeOut = (text: string): void => void this.out.push(text);
  writeError = (text: string): void => void this.error.push(text);
  writeRemark = this.writeError;
  now = (): number => this.time;
  findTerminal = (): Terminal | undefined => {
    this.lookups += 1;
    return this.terminal;
  };
  repeat = (interval: number, call: () => void): (() => void) => {
    const timer = { due: this.time + interval, interval, call };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer), 1);
  };

  wait(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.time = next.due;
      next.due += next.interval;
      next.call();
    }
    this.time = end;
  }

  get runningTimers(): number {
    return this.timers.length;
  }
}

const a = `sha256:${'a'.repeat(64)}`;
const b = `sha256:${'b'.repeat(64)}`;

describe('without a terminal', () => {
  test('answers go to standard output, remarks to standard error; no code looks for a terminal', () => {
    const screen = new FakeScreen();
    const { report, close } = createReporter(screen, { json: false, quiet: false, debug: false });
    const events: ProgressEvent[] = [
      { kind: 'extracting', destination: '/d' },
      { kind: 'warning', text: 'odd' },
      { kind: 'command', argv: ['systemctl', 'daemon-reload'] },
    ];
    events.forEach(report);
    close();
    expect(screen.out).toEqual(['Extracting to /d\n', 'systemctl daemon-reload\n']);
    expect(screen.error).toEqual(['Warning: odd\n']);
    expect(screen.lookups).toBe(0);
  });

  test('with --json standard output has no answers', () => {
    const screen = new FakeScreen();
    const { report } = createReporter(screen, { json: true, quiet: false, debug: false });
    report({ kind: 'extracting', destination: '/d' });
    expect(screen.out).toEqual([]);
    expect(screen.error).toEqual(['Extracting to /d\n']);
  });

  test('with --quiet there are only remarks, and nothing moves', () => {
    const screen = new FakeScreen();
    const { report, close } = createReporter(screen, { json: false, quiet: true, debug: false });
    const events: ProgressEvent[] = [
      { kind: 'pull-started', image: 'etcd' },
      { kind: 'layer-started', digest: a, bytes: 10 },
      { kind: 'warning', text: 'odd' },
      { kind: 'waiting', object: 'the image store', holder: undefined },
    ];
    events.forEach(report);
    screen.wait(60_000);
    close();
    expect([screen.out, screen.error]).toEqual([
      [],
      ['Warning: odd\n', 'Waiting for the image store, held by another process\n'],
    ]);
    expect([screen.lookups, screen.runningTimers]).toEqual([0, 0]);
  });

  test('a line every ten seconds for longer work', () => {
    const screen = new FakeScreen();
    const { report, close } = createReporter(screen, { json: false, quiet: false, debug: false });
    report({ kind: 'layer-started', digest: a, bytes: 10_000_000 });
    screen.wait(5000);
    report({ kind: 'layer-started', digest: b, bytes: 10_000_000 });
    report({ kind: 'layer-progress', digest: a, received: 5_000_000 });
    screen.wait(5000);
    expect(screen.error).toEqual(['Layer aaaaaaaaaaaa: 5.00 MB of 10.00 MB, 500.00 KB/s, 00:10 left\n']);
    report({ kind: 'layer-finished', digest: a });
    report({ kind: 'layer-finished', digest: b });
    report({ kind: 'step', text: 'Writing image etcd' });
    screen.wait(25_000);
    expect(screen.error.slice(1)).toEqual([
      'Writing image etcd ... 00:10\n',
      'Writing image etcd ... 00:20\n',
    ]);
    close();
    screen.wait(60_000);
    expect(screen.error.length).toBe(3);
    expect(screen.runningTimers).toBe(0);
  });
});

describe('on a terminal', () => {
  const terminal: Terminal = { columns: () => 34, rows: () => 24 };
  const erase = '\r\u001b[J';
  const eraseTwo = '\r\u001b[1A\u001b[J';

  test('bars for layers in parallel, below the lines, which disappear at the end', () => {
    const screen = new FakeScreen(terminal);
    const { report, close } = createReporter(screen, { json: false, quiet: false, debug: false });
    report({ kind: 'pull-started', image: 'etcd' });
    report({ kind: 'layer-started', digest: a, bytes: 100 });
    report({ kind: 'layer-started', digest: b, bytes: 100 });
    report({ kind: 'layer-progress', digest: a, received: 50 });
    screen.wait(125);
    report({ kind: 'layer-finished', digest: a });
    report({ kind: 'step', text: 'Writing image etcd with a long name' });
    screen.wait(2000);
    report({ kind: 'extracting', destination: '/d' });
    close();
    expect(screen.out).toEqual([
      'Image etcd is being pulled to ostree ...\n',
      `Pulling layer ${'a'.repeat(64)}\n`,
      `Pulling layer ${'b'.repeat(64)}\n`,
      'Extracting to /d\n',
    ]);
    expect(screen.error).toEqual([
      'aaaaaaaaaaaa  [-----------]    0%',
      erase,
      'aaaaaaaaaaaa  [-----------]    0%\nbbbbbbbbbbbb  [-----------]    0%',
      `${eraseTwo}aaaaaaaaaaaa  [#####------]   50%\nbbbbbbbbbbbb  [-----------]    0%`,
      `${eraseTwo}bbbbbbbbbbbb  [-----------]    0%\nWriting image etcd with a long na`,
      eraseTwo,
      'bbbbbbbbbbbb  [-----------]    0%',
      erase,
    ]);
    expect(screen.runningTimers).toBe(0);
    expect(screen.lookups).toBe(1);
  });

  test('events keep the bars moving while timers cannot run, but not faster than timers would', () => {
    const screen = new FakeScreen(terminal);
    // A busy program: time passes, timers do not.
    screen.repeat = () => () => undefined;
    const { report } = createReporter(screen, { json: false, quiet: false, debug: false });
    report({ kind: 'layer-started', digest: a, bytes: 1000 });
    for (let received = 1; received <= 1000; received++) {
      screen.wait(1);
      report({ kind: 'layer-progress', digest: a, received });
    }
    expect(screen.error.length).toBe(9);
    expect(screen.error.at(-1)).toBe(`${erase}aaaaaaaaaaaa  [###########]  100%`);
  });
});

describe('child processes', () => {
  const ended = { argv: ['systemctl', 'is-active', "a b's"], milliseconds: 12.4, signal: undefined };
  const killed = { argv: ['runc'], milliseconds: 0.2, exitCode: undefined, signal: 'SIGKILL' };

  test.each([false, true])('are remarks with --debug; --quiet %p', (quiet) => {
    const screen = new FakeScreen();
    const { trace } = createReporter(screen, { json: false, quiet, debug: true });
    trace({ ...ended, exitCode: 3 });
    trace(killed);
    expect(screen.out).toEqual([]);
    expect(screen.error).toEqual([
      "debug: systemctl is-active 'a b'\\''s': exit status 3 after 12 ms\n",
      'debug: runc: ended by SIGKILL after 0 ms\n',
    ]);
  });

  test.each([false, true])('are silent without it; --quiet %p', (quiet) => {
    const screen = new FakeScreen();
    createReporter(screen, { json: false, quiet, debug: false }).trace(killed);
    expect(screen.error).toEqual([]);
  });
});
