import type { Host } from '../../host/host.ts';
import type { SkopeoOptions } from '../skopeo/source-flags.ts';

/**
 * Finds the Docker engine as Docker's client does: by DOCKER_HOST, and with the certificates in DOCKER_CERT_PATH. skopeo
 * does not read these variables. It uses TLS for every `tcp:` address, Docker's client only with DOCKER_TLS_VERIFY.
 */
export function findEngine(host: Host): Pick<SkopeoOptions, 'daemonHost' | 'certDirectory'> {
  const { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH } = host.env;
  if (!DOCKER_HOST) return {};
  if (!DOCKER_TLS_VERIFY) return { daemonHost: DOCKER_HOST.replace(/^tcp:/, 'http:') };
  return { daemonHost: DOCKER_HOST, ...(DOCKER_CERT_PATH ? { certDirectory: DOCKER_CERT_PATH } : {}) };
}
