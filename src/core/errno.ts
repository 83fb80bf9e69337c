/** The name of the errno with which a system call failed, such as `ENOENT`; `undefined` for any other error. */
export function findErrno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
