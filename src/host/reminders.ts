import type { Host } from './host.ts';

const reminderMilliseconds = 10_000;

/**
 * Waits for an action that may take minutes: a warning every ten seconds explains the wait.
 *
 * @param describe makes the text of the warning from the seconds that have passed
 * @param milliseconds the interval between two warnings
 */
export async function withReminders<Result>(
  host: Host,
  describe: (seconds: number) => string,
  action: () => Promise<Result>,
  milliseconds = reminderMilliseconds,
): Promise<Result> {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    host.report({ kind: 'warning', text: describe(seconds) });
  }, milliseconds);
  try {
    return await action();
  } finally {
    clearInterval(timer);
  }
}
