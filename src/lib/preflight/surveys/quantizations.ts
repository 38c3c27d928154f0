import { LlmkubeError } from '../../errors.js';
import { describeModel } from '../../model/describe-model.js';
import { withKvOverrides } from '../../model/overridden-header.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { SiblingFile } from '../../source/hub/siblings.js';
import type { HeaderLookup } from '../../source/many-headers.js';
import type { HeaderRequest, ModelHeader } from '../../source/model-header.js';
import { isOnThisMachine } from '../../source/model-source.js';
import { recipeVariants, sizedVariant } from '../advice/variants.js';
import type { Room } from '../advice/trials.js';
import type { MemoryCheck } from '../memory-check.js';
import { judgeLaunch } from '../judge/judge-launch.js';
import { withQuantization, type ResolvedModel } from '../resolve-model.js';
import { largestOf } from './largest-of.js';
import { orRefusal, type SurveyVerdict } from './judge-or-refusal.js';

/** `files`: those of the model's repository or folder. `recipe`: as llama.cpp would make them, for nothing could be listed. */
export type QuantizationOrigin = 'files' | 'recipe';

export interface QuantizationRow {
  readonly quantization: string;
  /** As `parseModelSource` takes it; undefined for a quantization that need not exist. */
  readonly source: string | undefined;
  /** Of all parts; undefined where nobody says. */
  readonly fileBytes: number | undefined;
  /** The one that was checked. */
  readonly isAsked: boolean;
  /** Its tensors were worked out from its size or by a recipe, not read. */
  readonly isEstimated: boolean;
  /** Undefined where nothing could be worked out. */
  readonly verdict: SurveyVerdict | undefined;
  /** Tokens that fit at the most; undefined when none do. */
  readonly largest: number | undefined;
  /** Why it was not read. */
  readonly problem: string | undefined;
}

export interface QuantizationTable {
  readonly origin: QuantizationOrigin;
  /** The largest first. */
  readonly rows: readonly QuantizationRow[];
}

export interface QuantizationSources {
  /** What lies beside a source; undefined when that cannot be listed. */
  readonly listSiblings: (source: string) => Promise<readonly SiblingFile[] | undefined>;
  /** Reads many headers side by side. */
  readonly readHeaders: (requests: readonly HeaderRequest[]) => Promise<HeaderLookup>;
  /** What was read before, ships with this program, or can be worked out. */
  readonly readOffline: (model: ResolvedModel) => Promise<ModelHeader>;
  readonly offline: boolean;
}

/** A quantization, as far as it is known. */
type Known = Omit<QuantizationRow, 'verdict' | 'largest'> & { readonly shape: ModelShape | undefined };

/**
 * Every quantization of a model that was checked, each held against the same machine with the launch that was asked for.
 * Their headers are read; where one cannot be, its published size and a recipe stand in for it. Undefined when the check did
 * not get as far as the machine.
 */
export async function quantizationTable(
  check: MemoryCheck,
  sources: QuantizationSources,
): Promise<QuantizationTable | undefined> {
  const { shape, room, resolved, header, asked } = check;
  if (!shape || !room || !resolved || !header) return undefined;
  const isListed = isOnThisMachine(resolved.source) || (!sources.offline && header.origin !== 'bundled');
  const siblings = isListed ? await listed(resolved.source, sources) : undefined;
  const own: Known = {
    quantization: shape.quantization,
    source: undefined,
    fileBytes: shape.fileBytes,
    isAsked: true,
    isEstimated: header.derived,
    problem: undefined,
    shape,
  };
  const known =
    siblings === undefined
      ? [own, ...(await withRecipes(check, shape, resolved, sources))]
      : await readSiblings(check, own, siblings, sources);
  const rows = known.map(({ shape: model, ...row }): QuantizationRow => ({ ...row, ...judged(model, asked, room) }));
  rows.sort((a, b) => (b.fileBytes ?? 0) - (a.fileBytes ?? 0));
  return { origin: siblings === undefined ? 'recipe' : 'files', rows };
}

async function listed(source: string, { listSiblings }: QuantizationSources): ReturnType<typeof listSiblings> {
  return listSiblings(source).catch((error: unknown) => {
    if (error instanceof LlmkubeError) return undefined;
    throw error;
  });
}

/** Those that have a recipe, each as a check of it would find it offline. */
async function withRecipes(
  { overrides }: MemoryCheck,
  shape: ModelShape,
  resolved: ResolvedModel,
  { readOffline }: QuantizationSources,
): Promise<readonly Known[]> {
  const rows: Known[] = [];
  for (const { quantization, shape: made } of recipeVariants(shape, resolved, 'every')) {
    const found = await readOffline(withQuantization(resolved, quantization)).catch((error: unknown) => {
      if (error instanceof LlmkubeError) return undefined;
      throw error;
    });
    const model = found === undefined ? made : describeModel(withKvOverrides(found.header, overrides));
    const row = { source: undefined, isAsked: false, isEstimated: found?.derived ?? true, problem: undefined };
    rows.push({ quantization, ...row, fileBytes: model.fileBytes, shape: model });
  }
  return rows;
}

async function readSiblings(
  { shape, overrides, header }: MemoryCheck,
  own: Known,
  siblings: readonly SiblingFile[],
  { readHeaders }: QuantizationSources,
): Promise<readonly Known[]> {
  const isOwn = ({ source, bytes }: SiblingFile): boolean =>
    header?.file === undefined ? bytes === shape?.fileBytes : source.endsWith(`/${header.file.path}`);
  const ownFile = siblings.find(isOwn) ?? siblings.find(({ quantization }) => quantization === own.quantization);
  const others = onePerName(
    siblings.filter((sibling) => sibling !== ownFile && sibling.quantization !== ownFile?.quantization),
  );
  const requests = others.map(({ source }) => ({ entry: undefined, source, quantization: undefined }));
  const lookup = await readHeaders(requests);
  const read = others.map(async ({ quantization, source, bytes }): Promise<Known> => {
    const row = { quantization, source, isAsked: false };
    try {
      const { header: other, derived } = await lookup({ source });
      const model = describeModel(withKvOverrides(other, overrides));
      return { ...row, fileBytes: model.fileBytes, isEstimated: derived, problem: undefined, shape: model };
    } catch (error) {
      if (!(error instanceof LlmkubeError)) throw error;
      const model = shape && bytes !== undefined ? sizedVariant(shape, quantization, bytes) : undefined;
      return { ...row, fileBytes: bytes, isEstimated: true, problem: error.message, shape: model };
    }
  });
  const named = ownFile === undefined ? own : { ...own, quantization: ownFile.quantization, source: ownFile.source };
  return [named, ...(await Promise.all(read))];
}

/** Of several files of one quantization the one that its name leads to. */
function onePerName(siblings: readonly SiblingFile[]): readonly SiblingFile[] {
  const byName = new Map<string, SiblingFile>();
  for (const sibling of siblings) {
    if (sibling.isTagged || !byName.has(sibling.quantization)) byName.set(sibling.quantization, sibling);
  }
  return [...byName.values()];
}

function judged(
  shape: ModelShape | undefined,
  asked: MemoryCheck['asked'],
  room: Room,
): Pick<QuantizationRow, 'verdict' | 'largest'> {
  if (shape === undefined) return { verdict: undefined, largest: undefined };
  const judged = orRefusal(() => judgeLaunch({ ...room.beside, model: shape }, asked, room));
  if ('kind' in judged) return { verdict: judged, largest: undefined };
  const { launch, verdict } = judged;
  return { verdict, largest: largestOf({ shape, launch, asked, room, verdict }) };
}
