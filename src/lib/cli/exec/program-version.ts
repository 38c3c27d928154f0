import { askedVersion, thisMachinesServers } from '../../host/installed-server.js';
import type { LaunchCheckRequest } from '../../guard/check-launch.js';
import type { RequirementRequest } from './requirement.js';

/** The launch for the llama.cpp that its program says it is; a program that does not say is taken for the newest known. */
export async function withVersion(request: RequirementRequest): Promise<LaunchCheckRequest> {
  const version = await askedVersion(request.program, thisMachinesServers(request.cacheDir));
  return { ...request, llamaCpp: version };
}
