import type { Host } from '../../host/host.ts';
import type { SkopeoOptions } from '../skopeo/source-flags.ts';

/**
 * Finds the Docker engine as its own client does: DOCKER_HOST, and DOCKER_CERT_PATH for one that wants certificates.
 * skopeo does not look at them; it takes `tcp:` for TLS, which Docker's client does only with DOCKER_TLS_VERIFY.
 */
export function findEngine(host: Host): Pick<SkopeoOptions, 'daemonHost' | 'certDirectory'> {
  const { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH } = host.env;
  if (!DOCKER_HOST) return {};
  if (!DOCKER_TLS_VERIFY) return { daemonHost: DOCKER_HOST.replace(/^tcp:/, 'http:') };
  return { daemonHost: DOCKER_HOST, ...(DOCKER_CERT_PATH ? { certDirectory: DOCKER_CERT_PATH } : {}) };
}
