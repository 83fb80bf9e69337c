import type { Environment } from './host.ts';
import type { Settings } from './settings.ts';

/**
 * Builds the environment of child programs: the proxies of the settings are added as upper-case variables unless the
 * person has set them, in upper or lower case (compatibility G-07).
 */
export function addProxyVariables(env: Environment, settings: Settings): Environment {
  const proxies = {
    HTTP_PROXY: settings.httpProxy,
    HTTPS_PROXY: settings.httpsProxy,
    NO_PROXY: settings.noProxy,
  };
  const missing = Object.entries(proxies).filter(
    ([name, value]) =>
      value !== undefined && env[name] === undefined && env[name.toLowerCase()] === undefined,
  );
  return { ...env, ...Object.fromEntries(missing) };
}
