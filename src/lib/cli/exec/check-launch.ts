import { CheckIncompleteError } from '../../errors.js';
import type { Room } from '../../preflight/advice/trials.js';
import { checkMemory, uncountedRemark, type MemoryCheck } from '../../preflight/check-memory.js';
import { readServerCommand, type ServerCommand } from '../../runtime/server-command.js';
import { readHeaderFor } from '../../source/model-header.js';
import { listGgufFiles } from '../../source/open.js';
import type { RequirementRequest } from './requirement.js';

/** The check of a command line against one machine, with its text. Nothing but the command line says what is launched. */
export async function checkLaunch(request: RequirementRequest, room: Room): Promise<MemoryCheck> {
  const { words, env, cwd, accelerator, cacheDir } = request;
  const command = readServerCommand(words, env, cwd);
  if (command.kind !== 'loads') throw new CheckIncompleteError('MODEL_UNKNOWN', 'there is no model to be loaded');
  const reading = { cacheDir, env: process.env };
  return checkMemory(
    {
      model: command.source,
      accelerator,
      cpuArch: accelerator === 'metal' ? undefined : process.arch === 'arm64' ? 'arm' : 'x86',
      launch: command.patch,
      overrides: command.overrides,
      extraArgs: [],
      machine: {},
      policy: room.policy,
    },
    {
      loadCatalog: async () => [],
      readHeader: async (model) => {
        await refuseUncounted(command, request);
        return readHeaderFor(model, reading);
      },
      measureHost: async () => room.host,
    },
  );
}

/** A fit cannot be claimed while something that takes memory beside the model is not counted. */
async function refuseUncounted(
  command: Extract<ServerCommand, { kind: 'loads' }>,
  { accelerator, cacheDir }: RequirementRequest,
): Promise<void> {
  const uncounted = uncountedRemark(command.remarks, accelerator);
  if (uncounted !== undefined) throw new CheckIncompleteError('OPTION_NOT_COUNTED', uncounted);
  if (command.projectorOf === undefined) return;
  const { files } = await listGgufFiles(command.projectorOf, { cacheDir, env: process.env });
  if (!files.some(({ kind }) => kind === 'mmproj')) return;
  throw new CheckIncompleteError(
    'OPTION_NOT_COUNTED',
    `-hf ${command.projectorOf} loads a multimodal projector, too, which is not counted`,
    { suggestions: ['do without it: --no-mmproj'] },
  );
}
