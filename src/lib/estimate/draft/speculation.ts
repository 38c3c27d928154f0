import { UsageError } from '../../errors.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/** `common_speculative_type` (`common/common.h`, llama.cpp v0.5.0), as `--spec-type` names them. */
export type SpecType = keyof typeof DRAFTED;

/** Tokens drafted at a time where a launch does not say; those of a draft model share `--spec-draft-n-max`. */
const DRAFTED = {
  none: 0,
  'draft-simple': SERVER_DEFAULTS.draftMax,
  'draft-eagle3': SERVER_DEFAULTS.draftMax,
  'draft-mtp': SERVER_DEFAULTS.draftMax,
  'draft-dflash': SERVER_DEFAULTS.draftMax,
  'draft-dspark': SERVER_DEFAULTS.draftMax,
  'ngram-simple': 48,
  'ngram-map-k': 48,
  'ngram-map-k4v': 48,
  'ngram-mod': 64,
  'ngram-cache': 8,
} as const;

const ROLLS_BACK: ReadonlySet<SpecType> = new Set(['draft-mtp', 'draft-eagle3', 'draft-dflash', 'draft-dspark']);
const READS_LAYERS: ReadonlySet<SpecType> = new Set(['draft-eagle3', 'draft-dflash', 'draft-dspark']);
const WHOLE_BLOCKS: ReadonlySet<SpecType> = new Set(['draft-dflash', 'draft-dspark']);

/** How a launch drafts. */
export interface Speculation {
  readonly types: readonly SpecType[];
  /** Tokens drafted at a time, of the type that drafts most: `common_speculative_n_max`. */
  readonly drafted: number;
  /** The same of those types alone that do not draft whole blocks. */
  readonly draftedApart: number;
  /** Tokens that a draft model drafts: `--spec-draft-n-max`. */
  readonly draftMax: number;
  /** Earlier recurrent states to keep: `need_n_rs_seq`. */
  readonly statesKept: number;
  /** The model's own blocks predict ahead. */
  readonly usesHead: boolean;
  /** The draft's context has samplers in its graph. */
  readonly sampled: boolean;
  /** The draft answers for a block of tokens at once. */
  readonly draftsBlocks: boolean;
  /** The draft reads some of the model's layers. */
  readonly readsLayers: boolean;
  /** A draft that no type uses is loaded, and freed before the server answers. */
  readonly draftFreed: boolean;
}

/**
 * `common_models_handler_apply` (`common/arg.cpp`), `common_speculative_types_from_gguf` and `common_speculative_n_max`
 * (`common/speculative.cpp`, llama.cpp v0.5.0): without a type the draft's header says which it is; `none` is a type that was asked for.
 * @throws UsageError for a type that llama-server does not have
 */
export function speculationOf(
  { specTypes, draftMax: asked, ngramMax, backendSampling = true }: LaunchOptions,
  draft: ModelShape | undefined,
): Speculation {
  const isAsked = specTypes !== undefined && specTypes.length > 0;
  const types = isAsked
    ? specTypes.map(typeNamed).filter((type) => type !== 'none')
    : draft
      ? typesFromHeader(draft)
      : [];
  const draftMax = Math.max(0, asked ?? DRAFTED['draft-simple']);
  const most = (some: readonly SpecType[]): number =>
    Math.max(0, ...some.map((type) => draftedBy(type, draftMax, ngramMax)));
  const some = (set: ReadonlySet<SpecType>): boolean => types.some((type) => set.has(type));
  const drafts = types.some((type) => type.startsWith('draft-'));
  return {
    types,
    drafted: most(types),
    draftedApart: most(types.filter((type) => !WHOLE_BLOCKS.has(type))),
    draftMax,
    statesKept: some(ROLLS_BACK) ? draftMax : 0,
    usesHead: types.includes('draft-mtp') && draft === undefined,
    sampled: backendSampling && some(ROLLS_BACK),
    draftsBlocks: some(WHOLE_BLOCKS),
    readsLayers: some(READS_LAYERS),
    draftFreed: draft !== undefined && !drafts,
  };
}

/** An n-gram cache drafts a fixed number. */
function draftedBy(type: SpecType, draftMax: number, ngramMax: number | undefined): number {
  if (type.startsWith('draft-')) return draftMax;
  return type === 'ngram-cache' ? DRAFTED[type] : Math.max(0, ngramMax ?? DRAFTED[type]);
}

function typeNamed(type: string): SpecType {
  if (Object.hasOwn(DRAFTED, type)) return type as SpecType;
  throw new UsageError(
    'LAUNCH_SPEC_TYPE',
    `llama-server has no --spec-type ${JSON.stringify(type)}; use ${Object.keys(DRAFTED).join(', ')}.`,
  );
}

/** Drafts of which llama-server must be told how they draft, since `common_speculative_types_from_gguf` does not know them. */
const TOLD: ReadonlyMap<string, SpecType> = new Map([
  ['eagle3', 'draft-eagle3'],
  ['gemma4-assistant', 'draft-mtp'],
]);

/** What `--spec-type` is to say of a draft, were it said. */
export function draftTypeOf(draft: ModelShape): SpecType {
  return typesFromHeader(draft)[0] ?? TOLD.get(draft.architecture) ?? 'draft-simple';
}

function typesFromHeader({ architecture, tensors, hparams }: ModelShape): SpecType[] {
  if (architecture === 'dflash') return [tensors.has('markov_w1.weight') ? 'draft-dspark' : 'draft-dflash'];
  return tensors.has(`blk.${hparams.nLayerAll - 1}.nextn.eh_proj.weight`) ? ['draft-mtp'] : [];
}
