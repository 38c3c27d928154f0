import { UsageError } from '../../errors.js';
import type { LaunchPatch } from './server-options.js';

/*
 * Options for what is loaded beside the model: drafts, adapters, control vectors (`common_params_parser_init` in
 * `common/arg.cpp` of llama.cpp v0.5.0).
 */

/** `--spec-type`: types separated by commas; they add up. Whether llama-server has them is for the estimate to say. */
export function specTypes(value: string): LaunchPatch {
  return { specTypes: value.split(',') };
}

/** `--spec-draft-hf USER/REPO[:QUANT]`. */
export function draftRepository(value: string): LaunchPatch {
  return { draft: `hf:${value}` };
}

/** `--lora`, `--control-vector`: files separated by commas; they add up. */
export function adapterFiles(value: string): LaunchPatch {
  return { adapters: value.split(','), adapterScale: 1 };
}

/** `--lora-scaled`, `--control-vector-scaled`: `FILE:SCALE,…`; a scale of 0 loads a file that no graph uses. */
export function scaledAdapterFiles(value: string): LaunchPatch {
  const entries = value.split(',').map((item) => {
    const [file = '', scale = '', ...more] = item.split(':');
    if (file === '' || more.length > 0 || !Number.isFinite(Number.parseFloat(scale)))
      throw invalid(`expects FILE:SCALE, not "${item}"`);
    return { file, scale: Math.abs(Number.parseFloat(scale)) };
  });
  return { adapters: entries.map(({ file }) => file), adapterScale: Math.max(...entries.map(({ scale }) => scale)) };
}

/** Options that llama-server v0.5.0 only knows to refuse, each with what takes its place. */
export function removed(successor: string) {
  return (): LaunchPatch => {
    throw invalid(`has been removed; use ${successor}`);
  };
}

/** Types, files and the largest scale of all add up, on one command line and between its sources. */
export function addedDrafts(before: LaunchPatch, after: LaunchPatch): LaunchPatch {
  const scales = [before.adapterScale, after.adapterScale].filter((scale) => scale !== undefined);
  return {
    ...(after.specTypes && before.specTypes && { specTypes: [...before.specTypes, ...after.specTypes] }),
    ...(after.adapters && before.adapters && { adapters: [...before.adapters, ...after.adapters] }),
    ...(scales.length > 0 && { adapterScale: Math.max(...scales) }),
  };
}

/** Whether llama-server can fetch a draft by itself: a repository of the hub, not one of its files. */
export function isDownloaded(draft: string): boolean {
  return /^hf:[^/:]+\/[^/:]+(:[^/:]+)?$/.test(draft);
}

/** What `specTypes`, `adapterFiles` and the others here read, as llama-server's own words. */
export function draftWords(launch: LaunchPatch): string[] {
  const { specTypes: types, draft, draftMax, draftGpuLayers, draftCacheTypeK, draftCacheTypeV, draftDevice } = launch;
  const options: readonly (readonly string[] | false)[] = [
    types !== undefined && types.length > 0 && ['--spec-type', types.join()],
    draft !== undefined && isDownloaded(draft) && ['--spec-draft-hf', draft.slice('hf:'.length)],
    draftMax !== undefined && ['--spec-draft-n-max', String(draftMax)],
    draftGpuLayers !== undefined && ['--spec-draft-ngl', draftGpuLayers < 0 ? 'all' : String(draftGpuLayers)],
    draftCacheTypeK !== undefined && ['--spec-draft-type-k', draftCacheTypeK],
    draftCacheTypeV !== undefined && ['--spec-draft-type-v', draftCacheTypeV],
    draftDevice !== undefined && ['--spec-draft-device', draftDevice],
    launch.backendSampling === false && ['--no-spec-draft-backend-sampling'],
  ];
  return options.flatMap((option) => option || []);
}

function invalid(problem: string): UsageError {
  return new UsageError('INVALID_SERVER_OPTION', problem);
}
