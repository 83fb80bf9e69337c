import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import type { UpdateRequest, UpdateResult } from './update-request.ts';
import { updateTogether } from './update-together.ts';

/** Updates one container. @throws as `updateTogether` */
export async function updateContainer(
  host: Host,
  name: string,
  request: UpdateRequest,
  source: SourceOptions,
): Promise<UpdateResult> {
  const [result] = await updateTogether(host, [name], request, source);
  if (result === undefined) throw new Error(`an update of ${name} has no result`);
  return result;
}
