import { installedServer, thisMachinesServers } from '../../host/llama-server.js';
import type { LaunchCheckRequest } from '../../guard/check-launch.js';
import type { RequirementRequest } from './requirement.js';

/** The launch for the llama.cpp that its program says it is; a program that does not say is taken for the newest known. */
export async function withVersion(request: RequirementRequest): Promise<LaunchCheckRequest> {
  const servers = thisMachinesServers(request.cacheDir);
  const found = await installedServer({ ...servers, env: { LLMKUBE_LLAMA_SERVER: request.program } });
  return { ...request, llamaCpp: found?.version };
}
