/** Turns messages of skopeo into errors with codes and hints. */
import { AtomicError } from '../../base/errors.ts';
import { type FailureWords, failures, type Outcome } from './failure-table.ts';
import { hasReconnected, rewordSkopeo } from './skopeo-words.ts';

/** What skopeo does: it reads an image, copies one to a registry, or copies one to a file or folder for the user. */
export type SkopeoTask = 'pull' | 'push' | 'export';

/** @param words printable message of skopeo or its image proxy */
export function describeSkopeoFailure(words: string, task: SkopeoTask): AtomicError {
  const reworded = rewordSkopeo(words);
  const found = failures.find(
    (failure) => failure.words.test(reworded) && (task !== 'pull' || failure.pull !== undefined),
  );
  const { code, hint } = chooseOutcome(found, task);
  const message = found?.plain === undefined ? reworded : reworded.replace(found.words, found.plain);
  return new AtomicError(code, message, {
    hint,
    isTransient: task === 'export' ? undefined : found?.isTransient,
    tries: hasReconnected(words) ? 2 : 1,
  });
}

function chooseOutcome(found: FailureWords | undefined, task: SkopeoTask): Outcome {
  switch (task) {
    case 'pull':
      return (
        found?.pull ?? {
          code: 'TRANSFER_FAILED',
          hint: 'See the messages of skopeo: skopeo --debug inspect SOURCE, with docker:// before a name',
        }
      );
    case 'push':
      return (
        found?.push ?? {
          code: found?.pull?.code ?? 'TRANSFER_FAILED',
          hint: 'Check the registry and its log, then push again.',
        }
      );
    case 'export':
      if (found?.push?.code === 'NO_SPACE') return found.push;
      return {
        code: 'TRANSFER_FAILED',
        hint: 'Check that the folder of the destination exists and is writable.',
      };
  }
}
