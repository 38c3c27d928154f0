import { resolve } from 'node:path';
import { CheckIncompleteError } from '../errors.js';
import { cpuArchHere } from '../host/probe.js';
import type { Room } from '../preflight/advice/trials.js';
import { checkMemory, uncountedRemark } from '../preflight/check-memory.js';
import type { MemoryCheck } from '../preflight/memory-check.js';
import { readServerCommand, type ServerCommand } from '../runtime/server-command.js';
import type { LaunchPatch } from '../runtime/options/server-options.js';
import { readHeaderFor } from '../source/model-header.js';
import { draftIn } from '../source/hub/draft-file.js';
import { projectorBeside } from '../source/hub/projector-file.js';
import { parseModelSource } from '../source/model-source.js';
import type { ReadOptions } from '../source/session.js';
import type { Accelerator } from '../runtime/launch-options.js';

/** Addresses of files that are still to be fetched. */
export interface ElsewhereFiles {
  readonly model: string;
  readonly mmproj?: string | undefined;
  readonly draft?: string | undefined;
}

/** A command line of llama-server that is to be checked. */
export interface LaunchCheckRequest {
  readonly words: readonly string[];
  /** `LLAMA_ARG_*`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly accelerator: Accelerator;
  readonly cacheDir: string;
  /** The llama.cpp that will run; unset = the newest known. */
  readonly llamaCpp?: string | undefined;
  /** Where the model is read from while its file is not there yet, as `parseModelSource` reads it; and its projector. */
  readonly elsewhere?: ElsewhereFiles | undefined;
  readonly reading?: ReadOptions | undefined;
}

/** The check of a command line against one machine, with its text. Nothing but the command line says what is launched. */
export async function checkLaunch(request: LaunchCheckRequest, room: Room): Promise<MemoryCheck> {
  const { words, env, cwd, accelerator, cacheDir, elsewhere, llamaCpp } = request;
  const command = readServerCommand(words, env, cwd);
  if (command.kind !== 'loads') throw new CheckIncompleteError('MODEL_UNKNOWN', 'there is no model to be loaded');
  const reading = request.reading ?? { cacheDir, env: process.env };
  return checkMemory(
    {
      model: elsewhere?.model ?? command.source,
      accelerator,
      cpuArch: accelerator === 'metal' ? undefined : cpuArchHere(),
      launch: {
        ...inFolder(command.patch, cwd),
        ...(elsewhere?.mmproj !== undefined && { mmproj: elsewhere.mmproj }),
        ...(elsewhere?.draft !== undefined && { draft: elsewhere.draft }),
        ...(llamaCpp !== undefined && { llamaCpp }),
      },
      isStarted: true,
      overrides: command.overrides,
      extraArgs: [],
      machine: {},
      policy: room.policy,
    },
    {
      loadCatalog: async () => [],
      readHeader: async (model) => {
        refuseUncounted(command, request);
        return readHeaderFor(model, reading);
      },
      measureHost: async () => room.host,
      findProjector: (source) => projectorBeside(source, reading),
      findDraft: (source, types) => draftIn(source, types, reading),
    },
  );
}

/** A fit cannot be claimed while something that takes memory beside the model is not counted. */
function refuseUncounted(
  command: Extract<ServerCommand, { kind: 'loads' }>,
  { accelerator }: LaunchCheckRequest,
): void {
  const uncounted = uncountedRemark(command.remarks, accelerator);
  if (uncounted !== undefined) throw new CheckIncompleteError('OPTION_NOT_COUNTED', uncounted);
}

/** Paths are those of the folder that llama-server is started in. */
function inFolder(patch: LaunchPatch, cwd: string): LaunchPatch {
  const { mmproj, draft, adapters, controlVectors } = patch;
  const absolute = (source: string): string =>
    parseModelSource(source).kind === 'file' ? resolve(cwd, source) : source;
  return {
    ...patch,
    ...(mmproj !== undefined && { mmproj: absolute(mmproj) }),
    ...(draft !== undefined && { draft: absolute(draft) }),
    ...(adapters && { adapters: adapters.map(absolute) }),
    ...(controlVectors && { controlVectors: controlVectors.map(absolute) }),
  };
}
