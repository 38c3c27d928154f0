import { LlmkubeError } from '../../errors.js';
import type { GgufHeader } from '../../gguf/header.js';
import { describeModel } from '../../model/describe-model.js';
import { describeShape } from '../../model/describe-shape.js';
import { asQuantizationOf } from '../../model/quantization/same-model.js';
import { withKvOverrides } from '../../model/overridden-header.js';
import type { ModelShape } from '../../model/model-shape.js';
import { isOnThisMachine } from '../../source/model-source.js';
import type { SiblingFile } from '../../source/hub/siblings.js';
import type { Advice, DraftVariant, ModelVariant, Suggestion } from './advice.js';
import { advise } from './advise.js';
import type { CheckDependencies, RefusedCheck } from '../check-memory.js';
import { Trials } from './trials.js';
import { withQuantization, type ResolvedModel } from '../resolve-model.js';
import { typedChanges } from './typed-changes.js';
import { listedVariants, recipeVariants, sizedVariant } from './variants.js';

/** Headers of smaller quantizations are read for what would be proposed, at most so many times over. */
const MOST_PROOFS = 3;
/** So many headers of drafts are read. */
const MOST_DRAFTS_READ = 3;

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
  const { shape, launch, sized } = refused;
  const draft = await smallerDraft(refused, sources);
  const room = draft === undefined ? refused.room : { ...refused.room, otherDrafts: [draft] };
  const trials = new Trials(room);
  if (sized !== undefined) trials.know(shape, sized.launch, sized.estimate);
  const search = (variants: readonly ModelVariant[]): readonly Suggestion[] =>
    advise({ shape, launch, room, variants, trials });
  const found = await searchProven(refused, sources, 'smaller', search, unprovenIn);
  return found.filter((suggestion) => unprovenIn([suggestion]).length === 0);
}

/**
 * Searches among the quantizations of a model, reads the headers of those that the result rests on, and searches
 * again, until it rests on none that was not read, or that was tried often enough.
 */
export async function searchProven<T>(
  refused: Pick<RefusedCheck, 'shape' | 'resolved' | 'origin' | 'overrides'>,
  sources: AdviceSources,
  which: 'smaller' | 'all',
  search: (variants: readonly ModelVariant[]) => T,
  unproven: (found: T) => readonly ModelVariant[],
): Promise<T> {
  let variants = await findVariants(refused, sources, which);
  for (let round = 0; ; round++) {
    const found = search(variants);
    const open = unproven(found);
    if (open.length === 0 || round === MOST_PROOFS) return found;
    const proven = new Map(
      await Promise.all(open.map(async (variant) => [variant, await prove(variant, refused, sources)] as const)),
    );
    variants = variants.flatMap((variant) => {
      const read = proven.get(variant);
      return proven.has(variant) ? (read === undefined ? [] : [read]) : [variant];
    });
  }
}

async function findVariants(
  { shape, resolved, origin }: Pick<RefusedCheck, 'shape' | 'resolved' | 'origin'>,
  { listSiblings, offline }: AdviceSources,
  which: 'smaller' | 'all',
): Promise<readonly ModelVariant[]> {
  const isAsked = isOnThisMachine(resolved.source) || (!offline && origin !== 'bundled');
  if (!isAsked) return recipeVariants(shape, resolved, which);
  const siblings = await orNothing(listSiblings(resolved.source));
  return siblings === undefined
    ? recipeVariants(shape, resolved, which)
    : listedVariants(shape, resolved, siblings, which);
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
  { resolved, overrides }: Pick<RefusedCheck, 'resolved' | 'overrides'>,
  { readHeader }: AdviceSources,
): Promise<ModelVariant | undefined> {
  const { quantization, model } = variant;
  const target: ResolvedModel =
    model === undefined
      ? withQuantization(resolved, quantization)
      : { entry: undefined, source: model, quantization: undefined };
  try {
    const { header, derived } = await readHeader({ ...target, isTried: true });
    const isKnown = hasTensorsOf(header, variant.shape);
    // What was worked out twice need not be described again.
    const read = isKnown && derived ? variant.shape : describeModel(withKvOverrides(header, overrides));
    // What was estimated for the shape at hand need not be estimated again.
    return {
      ...variant,
      shape: isKnown ? variant.shape : asQuantizationOf(variant.shape, read),
      isProven: true,
      isEstimated: derived,
    };
  } catch (error) {
    if (error instanceof LlmkubeError) return undefined;
    throw error;
  }
}

/** The same types and places throughout; the metadata of one model's quantizations is the same. */
function hasTensorsOf({ tensors }: GgufHeader, shape: ModelShape): boolean {
  if (tensors.length !== shape.tensors.size) return false;
  return tensors.every(({ name, type, file, offsetBytes, bytes }) => {
    const other = shape.tensors.get(name);
    return other?.type === type && other.file === file && other.offsetBytes === offsetBytes && other.bytes === bytes;
  });
}

/**
 * The largest smaller file of the launch's draft with which it fits, from the place where the draft lies, its header read; undefined
 * where there is none, or the place cannot be listed.
 */
async function smallerDraft(
  { room, shape, launch, draftSource }: RefusedCheck,
  { listSiblings, readHeader }: AdviceSources,
): Promise<DraftVariant | undefined> {
  const draft = room.beside?.draft;
  if (draft === undefined || draftSource === undefined) return undefined;
  const fits = (other: ModelShape): boolean => {
    const trials = new Trials({ ...room, beside: { ...room.beside, draft: other } });
    return trials.fitting(shape, launch) !== undefined;
  };
  const listed = await orNothing(listSiblings(draftSource));
  let readCount = 0;
  for (const { quantization, source, bytes } of smallerThan(draft, listed ?? [])) {
    const sized = sizedVariant(draft, quantization, bytes);
    if (sized === undefined || !fits(sized)) continue;
    if (readCount++ === MOST_DRAFTS_READ) return undefined;
    const read = await orNothing(readHeader({ entry: undefined, source, quantization: undefined }));
    const other = read && describeShape(read.header);
    if (other?.kind === 'model' && fits(other)) return { quantization, source, shape: other };
  }
  return undefined;
}

/** The largest first. */
function smallerThan(draft: ModelShape, files: readonly SiblingFile[]): readonly (SiblingFile & { bytes: number })[] {
  return files
    .flatMap((file) =>
      file.bytes !== undefined && file.bytes < draft.fileBytes ? [{ ...file, bytes: file.bytes }] : [],
    )
    .sort((a, b) => b.bytes - a.bytes);
}

async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof LlmkubeError) return undefined;
    throw error;
  }
}
