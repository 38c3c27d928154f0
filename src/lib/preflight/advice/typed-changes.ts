import type { Change, TypedChanges } from './advice.js';
import { quotedWords, shellWord } from '../../shell-word.js';
import { deviceName } from '../../runtime/options/device-options.js';
import { draftFileWords } from '../../runtime/options/draft-options.js';
import { parseServerArguments } from '../../runtime/server-arguments.js';
import type { LaunchPatch } from '../../runtime/options/server-options.js';

const MIB = 2 ** 20;

/** Options of llama-server's that --extra-args may have set already, in which case only --extra-args can set them again. */
type ServerFlag = readonly [option: keyof LaunchPatch, flag: string, serverOption: string, value: string];

/**
 * What to type for changes.
 * @param extraWords what --extra-args holds now; its options win over flags
 */
export function typedChanges(changes: readonly Change[], extraWords: readonly string[]): TypedChanges {
  const taken = parseServerArguments(extraWords).options;
  const typed = changes.map((change) => typedChange(change, (flag) => serverFlag(flag, taken), taken));
  const leaveOut = typed.flatMap((one) => one.leaveOut ?? []);
  const model = typed.find((one) => one.model !== undefined)?.model;
  const runFirst = typed.find((one) => one.runFirst !== undefined)?.runFirst;
  return {
    flags: typed.flatMap(({ flags }) => flags),
    ...(leaveOut.length > 0 && { leaveOut }),
    ...(model !== undefined && { model }),
    ...(runFirst !== undefined && { runFirst }),
  };
}

/**
 * What to type for a context in tokens, and for layers on the GPU, that are named as they are and no change.
 * @param extraWords as for `typedChanges`
 */
export function typedSizes(
  { ctxSize, gpuLayers }: Pick<LaunchPatch, 'ctxSize' | 'gpuLayers'>,
  extraWords: readonly string[],
): string[] {
  const taken = parseServerArguments(extraWords).options;
  const server = (flag: ServerFlag): string => serverFlag(flag, taken);
  return [
    ...(ctxSize === undefined ? [] : [server(contextFlag(ctxSize))]),
    ...(gpuLayers === undefined ? [] : [server(layersFlag(gpuLayers))]),
  ];
}

function contextFlag(tokens: number): ServerFlag {
  return ['ctxSize', '--ctx-size', '--ctx-size', String(tokens)];
}

function layersFlag(layers: number): ServerFlag {
  return ['gpuLayers', '--gpu-layers', '--n-gpu-layers', layers < 0 ? 'all' : String(layers)];
}

function serverFlag([option, flag, serverOption, value]: ServerFlag, taken: LaunchPatch): string {
  return option in taken ? `--extra-args ${quotedWords(`${serverOption} ${value}`)}` : `${flag} ${value}`.trim();
}

/** One of llama-server's own options adds to what was said before and takes none of it back. */
function withoutDraft(
  { types, isNamed }: Extract<Change, { kind: 'no-draft' }>,
  { specTypes = [], draft }: LaunchPatch,
): TypedChanges {
  const keeps = types.length > 0;
  if (!isNamed && specTypes.length === 0 && draft === undefined)
    return { flags: [`--spec-type ${keeps ? types.join() : 'none'}`] };
  const isTyped = isNamed || draft !== undefined;
  const leaveOut = [...(isTyped ? ['--spec-draft-model'] : []), ...(keeps ? [] : ['--spec-type'])];
  return { flags: keeps && specTypes.length === 0 ? [`--spec-type ${types.join()}`] : [], leaveOut };
}

/** v0.5.0 has no `--no-mmap` any more, but its own arguments come after those that this program writes. */
function loadFlag(server: (flag: ServerFlag) => string): string {
  return server(['mmap', '--no-mmap', '--load-mode', 'none']).replace('--no-mmap none', '--no-mmap');
}

function typedChange(change: Change, server: (flag: ServerFlag) => string, taken: LaunchPatch): TypedChanges {
  switch (change.kind) {
    case 'projector':
      return { flags: ['--no-mmproj'], ...(change.isNamed && { leaveOut: ['--mmproj'] }) };
    case 'projector-on-cpu':
      return { flags: [server(['mmprojOffload', '--no-mmproj-offload', '--no-mmproj-offload', ''])] };
    case 'draft-cache-type':
      return {
        flags: [
          server(['draftCacheTypeK', '--spec-draft-type-k', '--spec-draft-type-k', change.type]),
          server(['draftCacheTypeV', '--spec-draft-type-v', '--spec-draft-type-v', change.type]),
        ],
      };
    case 'draft-quantization': {
      const { source } = change.variant;
      const words = draftFileWords(source)?.map(shellWord).join(' ');
      if (taken.draft !== undefined && words !== undefined) return { flags: [`--extra-args ${quotedWords(words)}`] };
      return { flags: [`--spec-draft-model ${shellWord(source)}`] };
    }
    case 'no-draft':
      return withoutDraft(change, taken);
    case 'draft-tokens':
      return { flags: [server(['draftMax', '--spec-draft-n-max', '--spec-draft-n-max', String(change.tokens)])] };
    case 'draft-on-cpu':
      return { flags: [server(['draftGpuLayers', '--spec-draft-ngl', '--spec-draft-ngl', '0'])] };
    case 'slots':
      return { flags: [server(['parallel', '--parallel', '--parallel', String(change.slots)])] };
    case 'ubatch':
      return { flags: [server(['ubatchSize', '--ubatch-size', '--ubatch-size', String(change.tokens)])] };
    case 'context':
      return { flags: [server(contextFlag(change.tokens))] };
    case 'prompt-cache':
      return { flags: [server(['cacheRamMiB', '--cache-ram', '--cache-ram', String(change.mebibytes)])] };
    case 'checkpoints':
      return { flags: [`--extra-args "--ctx-checkpoints ${change.count}"`] };
    case 'image-tokens':
      return {
        flags: [server(['imageMaxTokens', '--image-max-tokens', '--image-max-tokens', String(change.tokens)])],
      };
    case 'cache-type':
      return {
        flags: [
          server(['cacheTypeK', '--cache-type-k', '--cache-type-k', change.type]),
          server(['cacheTypeV', '--cache-type-v', '--cache-type-v', change.type]),
        ],
      };
    case 'load':
      return {
        flags: [
          ...(change.mmap === false ? [loadFlag(server)] : []),
          ...(change.repack === false ? ['--extra-args "--no-repack"'] : []),
        ],
      };
    case 'tensor-split':
      return { flags: [server(['tensorSplit', '--tensor-split', '--tensor-split', change.shares.join()])] };
    case 'no-gpu':
      return { flags: [server(['devices', '--device', '--device', 'none'])] };
    case 'devices': {
      const names = change.devices.map((gpu) => deviceName(change.accelerator, gpu));
      return { flags: [server(['devices', '--device', '--device', names.join()])] };
    }
    case 'gpu-layers':
      return { flags: [server(layersFlag(change.layers))] };
    case 'cpu-experts':
      return {
        flags: change.layers > 0 ? [`--extra-args "--n-cpu-moe ${change.layers}"`] : [],
        ...(change.isFewer && { leaveOut: [taken.cpuMoeLayers === Infinity ? '--cpu-moe' : '--n-cpu-moe'] }),
      };
    case 'quantization': {
      const { model, file, quantization } = change.variant;
      if (file === undefined) return { flags: [`--quantization ${quantization}`] };
      return { flags: [`--file ${shellWord(file)}`], ...(model !== undefined && { model }) };
    }
    case 'free-memory':
      return { flags: [`--in-use ${Math.floor(change.inUseBytes / MIB)}Mi`] };
    case 'memory-fraction':
      return { flags: [`--memory-fraction ${change.fraction}`] };
    case 'wired-limit':
      return {
        flags: [`--gpu-wired-limit ${change.mebibytes}Mi`],
        runFirst: `sudo sysctl iogpu.wired_limit_mb=${change.mebibytes}`,
      };
    case 'machine':
      return {
        flags: [
          ...(change.found === undefined ? [] : [`--accelerator ${change.found.accelerator}`]),
          `${MACHINE_FLAGS[change.memory]} ${Array(change.gpus ?? 1)
            .fill(`${change.gigabytes}Gi`)
            .join()}`,
          ...(change.found?.sharesMemory ? ['--unified-memory'] : []),
          // On a machine that is only described, what is in use counts as nothing unless it is said.
          ...(change.inUseBytes === undefined ? [] : [`--in-use ${Math.ceil(change.inUseBytes / MIB)}Mi`]),
          ...(change.wiredLimitBytes === undefined
            ? []
            : [`--gpu-wired-limit ${Math.floor(change.wiredLimitBytes / MIB)}Mi`]),
        ],
      };
  }
}

const MACHINE_FLAGS = {
  mac: '--system-memory',
  system: '--system-memory',
  gpu: '--gpu-memory',
  budget: '--memory-budget',
} as const;
