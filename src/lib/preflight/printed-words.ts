import { type LaunchOptions, withoutOptions } from '../runtime/launch-options.js';
import { draftFileWords } from '../runtime/options/draft-options.js';
import { launchWords } from '../runtime/launch-words.js';
import { hubFrom, resolveUrl } from '../source/hub/hub-urls.js';
import { type ModelSource, parseModelSource } from '../source/model-source.js';
import { type Change, changedLaunch } from './advice/advice.js';
import type { MemoryCheck } from './memory-check.js';
import { withQuantization } from './resolve-model.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `resolved` of an estimate says where the launch leaves it open. */
interface Answer {
  readonly nCtx: number;
}

/**
 * The words of llama-server that start what was checked, with changes made; undefined where no llama-server could read the model.
 * @param resolved of the verdict on exactly that launch
 */
export function serverWords(
  check: MemoryCheck,
  changes: readonly Change[],
  resolved: Answer,
  env: Environment,
): readonly string[] | undefined {
  const place = placeOf(check, changes);
  const model = place === undefined ? undefined : modelWords(parseModelSource(place), env, check.header?.file?.path);
  if (model === undefined) return undefined;
  const changed = changedLaunch(check.launch, changes);
  const launch = { ...changed, ...(changed.ctxSize ? {} : { ctxSize: resolved.nCtx }) };
  if (!isReadable(launch)) return undefined;
  return [
    'llama-server',
    ...model,
    ...projectorWords(check, model, launch.mmprojAuto === false, env),
    ...launchWords(withoutGpus(launch, check.projector !== undefined), check.extraWords),
  ];
}

/** A check for the CPU has no GPU in mind, and a llama-server that finds one would take it. */
function withoutGpus(launch: LaunchOptions, hasProjector: boolean): LaunchOptions {
  if (launch.accelerator !== 'cpu') return launch;
  return {
    ...withoutOptions(launch, 'gpuLayers'),
    devices: [],
    ...(launch.draft !== undefined && { draftDevice: 'none' }),
    ...(hasProjector && { mmprojOffload: false }),
  };
}

/** llama-server fetches models, projectors and drafts of the hub, but no adapter, and no draft by its address. */
function isReadable({ draft, adapters = [], controlVectors = [] }: LaunchOptions): boolean {
  const areFiles = [...adapters, ...controlVectors].every((source) => parseModelSource(source).kind === 'file');
  return areFiles && (draft === undefined || draftFileWords(draft) !== undefined);
}

/** Where the model lies, or the other quantization that is to be loaded instead. */
function placeOf(check: MemoryCheck, changes: readonly Change[]): string | undefined {
  const other = changes.find((change) => change.kind === 'quantization');
  if (other === undefined) return check.header?.place ?? check.source;
  const { model, quantization } = other.variant;
  if (model !== undefined) return model;
  return check.resolved === undefined ? undefined : withQuantization(check.resolved, quantization).source;
}

function modelWords(
  source: ModelSource,
  env: Environment,
  chosenFile: string | undefined,
): readonly string[] | undefined {
  switch (source.kind) {
    case 'file':
      return ['--model', source.path];
    case 'http':
      return ['--model-url', source.url];
    case 'hf': {
      const { repository, revision, quantization, file } = source;
      const path = file ?? chosenFile;
      if (revision === 'main') {
        if (file !== undefined) return ['--hf-repo', repository, '--hf-file', file];
        return ['--hf-repo', quantization === undefined ? repository : `${repository}:${quantization}`];
      }
      return path === undefined
        ? undefined
        : ['--model-url', resolveUrl(hubFrom(env), repository, revision, path).href];
    }
    default:
      return undefined;
  }
}

/** Of a repository llama-server loads the projector, too, whether or not it was counted. */
function projectorWords(
  check: MemoryCheck,
  model: readonly string[],
  isLeftOut: boolean,
  env: Environment,
): readonly string[] {
  const { projector, entry, source, extraOptions } = check;
  if (isLeftOut || extraOptions.mmproj !== undefined) return [];
  if (projector === undefined) {
    const wasAsked = entry === undefined && source.startsWith('hf:');
    return model[0] === '--hf-repo' && !wasAsked ? ['--no-mmproj'] : [];
  }
  if (projector.reason === 'beside') return [];
  const found = parseModelSource(projector.source);
  if (found.kind === 'file') return ['--mmproj', found.path];
  if (found.kind === 'http') return ['--mmproj-url', found.url];
  if (found.kind !== 'hf' || found.file === undefined) return [];
  return ['--mmproj-url', resolveUrl(hubFrom(env), found.repository, found.revision, found.file).href];
}
