import type { EstimatePart, GrowthPart, PartName, PartOwner } from '../../estimate/memory-estimate.js';

/** What people call the parts of an estimate. */
const PART_LABELS: Readonly<Record<PartName, string>> = {
  weights: 'weights',
  'weights-unread': 'weights, read no more',
  'weights-copy': 'weights, copied',
  'kv-cache': 'KV cache',
  'recurrent-state': 'recurrent state',
  'expert-cache': 'expert cache',
  compute: 'compute buffer',
  output: 'output buffer',
  'runtime-overhead': 'runtime overhead',
  loading: 'only while it starts',
};

/** Whose a part is, where it is not the model's own. */
const OWNERS: Readonly<Record<Exclude<PartOwner, 'model'>, string>> = {
  projector: 'projector',
  draft: 'draft',
  mtp: 'MTP head',
  adapter: 'adapter',
};

const GROWTH_LABELS: Readonly<Record<GrowthPart['name'], string>> = {
  'prompt-cache': 'the prompt cache',
  'context-checkpoints': 'context checkpoints',
  compute: 'compute buffers',
  output: 'output buffers',
};

/** `weights`, `projector: weights`. */
export function partLabel({ name, of }: Pick<EstimatePart, 'name' | 'of'>): string {
  return of === 'model' ? PART_LABELS[name] : `${OWNERS[of]}: ${PART_LABELS[name]}`;
}

/** What grows, as the subject of a sentence. */
export function growthLabel({ name, of }: Pick<GrowthPart, 'name' | 'of'>): string {
  if (of === 'projector') return 'what images and audio need';
  return of === 'model' ? GROWTH_LABELS[name] : `${GROWTH_LABELS[name]} of the ${OWNERS[of]}`;
}
