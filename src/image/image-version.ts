/** Finds the version of an image in its labels, as the original did: `Version-Release` (compatibility M-50). */
export function findVersion(labels: Readonly<Record<string, string>>): string | undefined {
  const parts = ['Version', 'Release'].flatMap((name) => labels[name] || labels[name.toLowerCase()] || []);
  return parts.length === 0 ? undefined : parts.join('-');
}
