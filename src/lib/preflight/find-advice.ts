import { LlmkubeError } from '../errors.js';
import { describeModel } from '../model/describe-model.js';
import { looksLikeSource } from '../source/model-source.js';
import type { SiblingFile } from '../source/siblings.js';
import type { Advice, ModelVariant, Suggestion } from './advice.js';
import { advise } from './advise.js';
import type { CheckDependencies, RefusedCheck } from './check-memory.js';
import { Trials } from './trials.js';
import { withQuantization, type ResolvedModel } from './resolve-model.js';
import { typedChanges } from './typed-changes.js';
import { listedVariants, recipeVariants } from './variants.js';

/** Headers of smaller quantizations are read for what would be proposed, at most so many times over. */
const MOST_PROOFS = 3;

export interface AdviceSources extends Pick<CheckDependencies, 'readHeader'> {
  /** What lies beside a source; undefined when that cannot be listed. */
  readonly listSiblings: (source: string) => Promise<readonly SiblingFile[] | undefined>;
  readonly offline: boolean;
}

/**
 * What would make a refused launch fit. Quantizations are those that the model's own place has, or where it cannot
 * be asked, those that have a recipe; their headers are read, or worked out, as a check of them would, before they are
 * proposed.
 */
export async function findAdvice(refused: RefusedCheck, sources: AdviceSources): Promise<readonly Advice[]> {
  const suggestions = await findSuggestions(refused, sources);
  return suggestions.map((one) => ({ ...one, ...typedChanges(one.changes, refused.extraWords) }));
}

async function findSuggestions(refused: RefusedCheck, sources: AdviceSources): Promise<readonly Suggestion[]> {
  const { shape, launch, room, resolved } = refused;
  const isOnline = !sources.offline && refused.origin !== 'bundled';
  let variants = await findVariants(refused, sources, isOnline);
  const trials = new Trials(room);
  for (let round = 0; ; round++) {
    const suggestions = advise({ shape, launch, room, variants, trials });
    const unproven = unprovenIn(suggestions);
    if (unproven.length === 0) return suggestions;
    if (round === MOST_PROOFS) return suggestions.filter((suggestion) => unprovenIn([suggestion]).length === 0);
    const proven = new Map(
      await Promise.all(unproven.map(async (variant) => [variant, await prove(variant, resolved, sources)] as const)),
    );
    variants = variants.flatMap((variant) => {
      if (!proven.has(variant)) return [variant];
      const read = proven.get(variant);
      return read === undefined ? [] : [read];
    });
  }
}

async function findVariants(
  { shape, resolved }: RefusedCheck,
  { listSiblings }: AdviceSources,
  isOnline: boolean,
): Promise<readonly ModelVariant[]> {
  if (!isOnline && !isLocal(resolved)) return recipeVariants(shape, resolved);
  const siblings = await listSiblings(resolved.source).catch((error: unknown) => {
    if (error instanceof LlmkubeError) return undefined;
    throw error;
  });
  return siblings === undefined ? recipeVariants(shape, resolved) : listedVariants(shape, resolved, siblings);
}

function isLocal({ source }: ResolvedModel): boolean {
  return looksLikeSource(source) && !/^(hf|https?|s3|pvc):/i.test(source);
}

function unprovenIn(suggestions: readonly Suggestion[]): readonly ModelVariant[] {
  const variants = suggestions.flatMap(({ changes }) =>
    changes.flatMap((change) => (change.kind === 'quantization' ? [change.variant] : [])),
  );
  return [...new Set(variants)].filter(({ isProven }) => !isProven);
}

/** With the header that a check would find; undefined when there is none. */
async function prove(
  variant: ModelVariant,
  resolved: ResolvedModel,
  { readHeader }: AdviceSources,
): Promise<ModelVariant | undefined> {
  const { quantization, model } = variant;
  const target: ResolvedModel =
    model === undefined
      ? withQuantization(resolved, quantization)
      : { entry: undefined, source: model, quantization: undefined };
  try {
    const { header, derived } = await readHeader(target);
    return { ...variant, shape: describeModel(header), isProven: true, isEstimated: derived };
  } catch (error) {
    if (error instanceof LlmkubeError) return undefined;
    throw error;
  }
}
