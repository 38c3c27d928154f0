import type { Shape } from '../../model/model-shape.js';
import type { LoadedFile } from '../../preflight/beside/beside-files.js';
import type { ProjectorReason } from '../../preflight/beside/beside.js';
import type { DraftReason } from '../../preflight/beside/find-draft.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { shown } from '../../printable.js';
import { formatModelSource, parseModelSource } from '../../source/model-source.js';
import { redactedSource } from '../../source/redacted-url.js';
import { formatSize } from './bytes.js';

/** A file that counts beside the model. */
export interface LoadedText {
  readonly what: 'projector' | 'draft' | 'adapter';
  /** Which it is, how large, and why it is loaded. */
  readonly text: string;
}

const PROJECTOR_REASONS: Readonly<Record<ProjectorReason, string>> = {
  named: ', named by --mmproj',
  catalog: ", the catalogue's; --no-mmproj leaves it out",
  beside: ', which llama-server -hf loads too; --no-mmproj leaves it out',
};

const DRAFT_REASONS: Readonly<Record<DraftReason, string>> = {
  named: '',
  catalog: ", the catalogue's; --spec-type none leaves it out",
  repository: ', which llama-server takes from that repository',
  beside: ', which llama-server -hf loads for this --spec-type',
};

/** The projector, the draft and the adapters of a launch. */
export function loadedTexts({ projector, named }: Pick<MemoryCheck, 'projector' | 'named'>): readonly LoadedText[] {
  const { draft, adapters = [] } = named ?? {};
  return [
    ...(projector
      ? [{ what: 'projector', text: textOf(projector, PROJECTOR_REASONS[projector.reason]) } as const]
      : []),
    ...(draft ? [{ what: 'draft', text: textOf(draft, DRAFT_REASONS[draft.reason]) } as const] : []),
    ...adapters.map((adapter) => ({ what: 'adapter', text: textOf(adapter) }) as const),
  ];
}

function textOf({ source, file, shape }: LoadedFile<Shape>, why = ''): string {
  const place = shown(redactedSource(formatModelSource(parseModelSource(source))));
  const chosen = file === undefined || source.endsWith(file) ? '' : `, ${shown(file)}`;
  return `${place}${chosen} (${formatSize(shape.fileBytes)}${why})`;
}
