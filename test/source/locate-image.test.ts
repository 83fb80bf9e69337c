/** Which file, folder or registry a name means. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { AtomicError } from '../../src/base/errors.ts';
import { parseSourceName } from '../../src/image/source-name.ts';
import { locateImage } from '../../src/source/locate-image.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.remove());

const refusal = async (text: string): Promise<AtomicError> => {
  const error = await locateImage(sandbox.host, parseSourceName(text)).catch((reason: unknown) => reason);
  if (error instanceof AtomicError) return error;
  throw new Error(`${text} was not refused`, { cause: error });
};

test('text that is neither a folder nor a name is refused before a registry is asked', async () => {
  const { code, message, exitStatus, hint } = await refusal('oci:Not There');
  expect({ code, exitStatus }).toEqual({ code: 'BAD_REFERENCE', exitStatus: 2 });
  expect(message).toStartWith('there is no folder Not There: reading the image name "oci:Not There": ');
  expect(hint).toBeString();
  expect(sandbox.events).toEqual([]);
});
