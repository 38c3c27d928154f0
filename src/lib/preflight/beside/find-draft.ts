import { LlmkubeError } from '../../errors.js';
import { isDownloaded } from '../../runtime/options/draft-options.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { DraftFile } from '../../source/hub/draft-file.js';
import type { ResolvedModel } from '../resolve-model.js';

/**
 * Why a draft is loaded: it was named, the catalogue names it, llama-server takes it from the repository that was named for
 * drafts, or takes it from the model's own repository because `--spec-type` asks for one of its kind.
 */
export type DraftReason = 'named' | 'catalog' | 'repository' | 'beside';

/** The draft of a launch, before its header is read. */
interface FoundDraft {
  readonly source: string;
  readonly reason: DraftReason;
  /** What llama-server drafts with, where the file's name decides it. */
  readonly specTypes?: readonly string[];
}

export interface DraftListing {
  /** The draft that llama-server takes from a repository of the hub for these types, all where empty. */
  readonly findDraft?: ((source: string, types: readonly string[]) => Promise<DraftFile | undefined>) | undefined;
}

/**
 * Which file llama-server loads as the draft: `common_models_handler_apply` (`common/arg.cpp`, llama.cpp v0.5.0).
 * @throws SourceError when the repository that was named for drafts cannot be listed
 */
export async function findDraft(
  { source, entry }: ResolvedModel,
  { draft, specTypes = [] }: LaunchOptions,
  { findDraft: find }: DraftListing,
): Promise<{ readonly draft?: FoundDraft; readonly note?: string }> {
  const types = specTypes.filter((type) => type !== 'none');
  if (draft !== undefined) {
    const reason = draft === entry?.draft ? 'catalog' : 'named';
    const named = { source: draft, reason } as const;
    const isOff = specTypes.length > 0 && types.length === 0;
    if (!isDownloaded(draft) || isOff) return { draft: named };
    const found = await find?.(draft, types);
    if (found === undefined) return { draft: named };
    const said = specTypes.length === 0 && { specTypes: [found.specType] };
    return { draft: { source: found.source, reason: reason === 'catalog' ? reason : 'repository', ...said } };
  }
  if (types.length === 0 || entry !== undefined || !source.startsWith('hf:')) return {};
  try {
    const found = await find?.(source, types);
    return found === undefined ? {} : { draft: { source: found.source, reason: 'beside' } };
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return {
      note: `whether its repository has a draft for --spec-type ${types.join()}, which llama-server -hf would load, could not be asked: name it with --spec-draft-model`,
    };
  }
}
