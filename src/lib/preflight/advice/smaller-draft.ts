import { LlmkubeError } from '../../errors.js';
import { describeShape } from '../../model/describe-shape.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { SiblingFile } from '../../source/hub/siblings.js';
import type { RefusedCheck } from '../check-memory.js';
import type { DraftVariant } from './advice.js';
import type { AdviceSources } from './find-advice.js';
import { Trials } from './trials.js';
import { sizedVariant } from './variants.js';

/** So many headers are read at the most. */
const MOST_READ = 3;

/**
 * The largest smaller file of the launch's draft with which it fits, from the place where the draft lies, its header read; undefined
 * where there is none, or the place cannot be listed.
 */
export async function smallerDraft(
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
    if (readCount++ === MOST_READ) return undefined;
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
