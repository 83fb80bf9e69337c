/** The root filesystems that podman makes of images: another implementation of the same specification. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const TIMEOUT_MS = 60_000;

/**
 * Pulls images into a podman storage in `folder` and copies their roots out of it. Everything happens in a mount
 * namespace of its own, so that no mount can be left behind.
 *
 * @param env with HOME and its containers configuration
 * @returns absolute paths of the copies, in the order of the names
 * @throws Error with what podman printed
 */
export function extractWithPodman(
  folder: string,
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const argv = ['--mount', '--propagation', 'private', 'sh', '-euc', SCRIPT, 'sh', folder, ...names];
  const { status, stderr, error } = spawnSync('unshare', argv, {
    env,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`podman: ${stderr}`);
  return names.map((_, index) => join(folder, 'roots', String(index)));
}

const SCRIPT = `
folder=$1; shift
podman() { command podman --root "$folder/root" --runroot "$folder/run" --tmpdir "$folder/tmp" --storage-driver overlay "$@"; }
mkdir -p "$folder/roots"
podman pull --quiet "$@" > /dev/null
podman image mount "$@" > "$folder/mounts"
index=0
for name; do
  cp -a "$(awk -v name="$name" '$1 == name { print $2 }' "$folder/mounts")" "$folder/roots/$index"
  index=$((index + 1))
done
`;
