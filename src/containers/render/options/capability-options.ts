/** `--cap-add` and `--cap-drop`. */
import { findSuggestion } from '../../../base/suggest.ts';
import { listCapabilities } from '../../../ostree/capabilities.ts';
import { rejectOption } from './service-options.ts';

/** All capabilities of the kernel of the host. */
export const ALL = 'ALL';

const known = listCapabilities(Number.POSITIVE_INFINITY);

/**
 * @param text a name in any case, with or without `CAP_`, or `ALL`
 * @returns `CAP_NET_ADMIN`, `ALL`
 * @throws BAD_VALUE when there is no such capability
 */
export function parseCapability(option: 'cap-add' | 'cap-drop', text: string): string {
  const upper = text.toUpperCase();
  if (upper === ALL) return ALL;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (known.includes(name)) return name;
  const suggestion = findSuggestion(name, known);
  throw rejectOption(
    option,
    text,
    'there is no such capability',
    suggestion === undefined ? 'capabilities(7) has their names.' : `Did you mean ${suggestion}?`,
  );
}
