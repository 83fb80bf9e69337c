/** GPG keys made for one test, and signatures as registries' lookaside stores have them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Blob } from './oci-image.ts';
import { createTemporaryFolder } from './temporary.ts';

const TIMEOUT_MS = 60_000;

export interface SigningKey extends AsyncDisposable {
  /** Path of the public key, for `keyPath` of a policy. */
  readonly publicKey: string;
  readonly fingerprint: string;
  /**
   * Signs a manifest as the image `reference` and puts the signature where skopeo looks for those of `repository`.
   *
   * @param lookaside folder of all signatures
   */
  sign(manifest: Blob, reference: string, lookaside: string, repository: string): void;
}

/** Makes a key. Its agent is ended with it. */
export async function createSigningKey(): Promise<SigningKey> {
  const folder = await createTemporaryFolder('key');
  const env = { ...process.env, GNUPGHOME: folder.path };
  const run = (program: string, ...args: readonly string[]): string => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      env,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const publicKey = folder.join('public.gpg');
  const identity = 'Test <test@example.com>';
  run(
    'gpg',
    '--batch',
    '--quiet',
    '--passphrase',
    '',
    '--quick-gen-key',
    identity,
    'rsa2048',
    'sign',
    'never',
  );
  run('gpg', '--batch', '--quiet', '--output', publicKey, '--export', identity);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
    run('gpg', '--batch', '--with-colons', '--list-keys'),
  )?.[1];
  if (fingerprint === undefined) throw new Error('gpg made no key');
  return {
    publicKey,
    fingerprint,
    sign(manifest, reference, lookaside, repository) {
      const copy = folder.join('manifest.json');
      writeFileSync(copy, manifest.data);
      const signature = join(lookaside, `${repository}@${manifest.digest.replace(':', '=')}`, 'signature-1');
      mkdirSync(dirname(signature), { recursive: true });
      run('skopeo', 'standalone-sign', '--output', signature, copy, reference, fingerprint);
    },
    async [Symbol.asyncDispose]() {
      run('gpgconf', '--kill', 'gpg-agent');
      await folder.remove();
    },
  };
}
