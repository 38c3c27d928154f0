import { withoutOptions } from '../launch-options.js';
import { invalid, notNegative } from './option-values.js';
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

/** `--lora`: files separated by commas; they add up. */
export function adapterFiles(value: string): LaunchPatch {
  return { adapters: value.split(','), adapterScale: 1 };
}

/** `--lora-scaled`: a scale of 0 loads a file that no graph uses. */
export function scaledAdapterFiles(value: string): LaunchPatch {
  const entries = scaledFiles(value);
  return { adapters: entries.map(({ file }) => file), adapterScale: Math.max(...entries.map(({ scale }) => scale)) };
}

/** `--control-vector`: files separated by commas; they add up. */
export function controlVectorFiles(value: string): LaunchPatch {
  return { controlVectors: value.split(',') };
}

/** `--control-vector-scaled`: whatever its scale, a vector takes the same. */
export function scaledControlVectorFiles(value: string): LaunchPatch {
  return { controlVectors: scaledFiles(value).map(({ file }) => file) };
}

/** `FILE:SCALE,…`. */
function scaledFiles(value: string): readonly { readonly file: string; readonly scale: number }[] {
  return value.split(',').map((item) => {
    const [file = '', scale = '', ...more] = item.split(':');
    if (file === '' || more.length > 0 || !Number.isFinite(Number.parseFloat(scale)))
      throw invalid(`expects FILE:SCALE, not "${item}"`);
    return { file, scale: Math.abs(Number.parseFloat(scale)) };
  });
}

/** `--spec-draft-n-max`. */
export function draftedTokens(count: number): LaunchPatch {
  return { draftMax: notNegative(count) };
}

/** `--spec-draft-n-ubatch`, of llama.cpp b12032. */
export function draftUbatch(count: number): LaunchPatch {
  return { draftUbatchSize: notNegative(count) };
}

/** Older builds took the option, but llama-server never loaded what it names. */
export function noVocoder(): LaunchPatch {
  throw invalid(
    'names a vocoder, which it never loads: only llama-tts of older builds did, and what makes speech is now in the file of --mmproj; leave it out',
  );
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
    ...(after.controlVectors &&
      before.controlVectors && { controlVectors: [...before.controlVectors, ...after.controlVectors] }),
    ...(after.draft !== undefined && before.draft !== undefined && { draft: namedDraft(before.draft, after.draft) }),
    ...(scales.length > 0 && { adapterScale: Math.max(...scales) }),
  };
}

/**
 * What the catalogue says of a launch, without the draft or the way to draft that flags or llama-server's own options replace: another
 * draft takes both away, `--spec-type` the way, and the draft too where it names no type that has one (`none`).
 */
export function withoutReplacedDraft(defaults: LaunchPatch, said: readonly LaunchPatch[]): LaunchPatch {
  const types = said.flatMap(({ specTypes: asked }) => asked ?? []);
  if (said.some((patch) => patch.draft !== undefined)) return withoutOptions(defaults, 'draft', 'specTypes');
  if (types.length === 0) return defaults;
  return types.some(usesDraft) ? withoutOptions(defaults, 'specTypes') : withoutOptions(defaults, 'draft', 'specTypes');
}

/** Whether a type of `--spec-type` drafts with a model, or with the head of one. */
export function usesDraft(type: string): boolean {
  return type.startsWith('draft-');
}

/** Lists of a launch that add up, without what llama-server's own arguments say of them at the end. */
export function listsBefore(
  launch: LaunchPatch,
  said: LaunchPatch,
): Pick<LaunchPatch, 'specTypes' | 'adapters' | 'controlVectors'> {
  const before = (name: 'specTypes' | 'adapters' | 'controlVectors') => {
    const all = launch[name] ?? [];
    const own = all.slice(0, all.length - (said[name] ?? []).length);
    return own.length > 0 ? { [name]: own } : {};
  };
  return { ...before('specTypes'), ...before('adapters'), ...before('controlVectors') };
}

/** A file that is named beside a repository (`-hfd REPO -md FILE`) is one of its files, in whichever order. */
function namedDraft(before: string, after: string): string {
  const isAddress = (source: string): boolean => /^[a-z]+:/i.test(source);
  const file = (source: string): string | undefined =>
    isAddress(source) ? /^hf:[^/:]+\/[^/:]+\/(.+)$/.exec(source)?.[1] : source;
  const repository = (source: string): string | undefined => /^hf:[^/:]+\/[^/:]+/.exec(source)?.[0];
  const from = repository(after) ?? (isAddress(after) ? undefined : repository(before));
  const chosen = file(after) ?? file(before);
  return from === undefined || chosen === undefined ? after : `${from}/${chosen}`;
}

/** How llama-server names the file of a draft; undefined for an address, of which it knows no draft. */
export function draftFileWords(source: string): readonly string[] | undefined {
  const [, repository, file] = /^hf:([^/:]+\/[^/:]+)\/(.+)$/.exec(source) ?? [];
  if (repository !== undefined && file !== undefined)
    return ['--spec-draft-hf', repository, '--spec-draft-model', file];
  if (isDownloaded(source)) return ['--spec-draft-hf', source.slice('hf:'.length)];
  return /^[a-z]+:\/\//i.test(source) ? undefined : ['--spec-draft-model', source];
}

/** Whether llama-server can fetch a draft by itself: a repository of the hub, not one of its files. */
export function isDownloaded(draft: string): boolean {
  return /^hf:[^/:]+\/[^/:]+(:[^/:]+)?$/.test(draft);
}

/** What `specTypes`, `adapterFiles` and the others here read, as llama-server's own words. */
export function draftWords(launch: LaunchPatch): string[] {
  const { specTypes: types, draft, draftMax, draftUbatchSize, draftGpuLayers } = launch;
  const { draftCacheTypeK, draftCacheTypeV, draftDevice } = launch;
  const options: readonly (readonly string[] | false)[] = [
    types !== undefined && types.length > 0 && ['--spec-type', types.join()],
    draft !== undefined && isDownloaded(draft) && ['--spec-draft-hf', draft.slice('hf:'.length)],
    draftMax !== undefined && ['--spec-draft-n-max', String(draftMax)],
    draftUbatchSize !== undefined && ['--spec-draft-n-ubatch', String(draftUbatchSize)],
    draftGpuLayers !== undefined && ['--spec-draft-ngl', draftGpuLayers < 0 ? 'all' : String(draftGpuLayers)],
    draftCacheTypeK !== undefined && ['--spec-draft-type-k', draftCacheTypeK],
    draftCacheTypeV !== undefined && ['--spec-draft-type-v', draftCacheTypeV],
    draftDevice !== undefined && ['--spec-draft-device', draftDevice],
    launch.backendSampling === false && ['--no-spec-draft-backend-sampling'],
  ];
  return options.flatMap((option) => option || []);
}
