import { existsSync, realpathSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import { listCheckouts } from '../../store/checkout/checkout-folders.ts';
import { type Deployments, surveyDeployments } from '../list-deployments.ts';

/** The deployments of one folder of containers. */
export interface SurveyedFolder extends Deployments {
  /** The CHECKOUTS of this host, or another one that uses the same repository. */
  readonly checkouts: string;
}

interface SurveyedStore {
  /** The folders that could be read; the first is the CHECKOUTS of this host. */
  readonly folders: readonly SurveyedFolder[];
  /** Other folders that are missing. The needs of their containers are unknown. */
  readonly missing: readonly string[];
}

/** Finds all deployments that may use images of the repository, also in other folders of containers. */
export async function surveyStore(host: Host): Promise<SurveyedStore> {
  const { checkouts, repository } = host.locations;
  const own = existsSync(checkouts) ? realpathSync(checkouts) : checkouts;
  const others = existsSync(repository) ? listCheckouts(repository).filter((path) => path !== own) : [];
  const folders: SurveyedFolder[] = [{ checkouts, ...(await surveyDeployments(host)) }];
  for (const other of others.filter((path) => existsSync(path))) {
    const locations = { ...host.locations, checkouts: other, state: `${other}/.atomic` };
    folders.push({ checkouts: other, ...(await surveyDeployments({ ...host, locations })) });
  }
  return { folders, missing: others.filter((path) => !existsSync(path)) };
}
