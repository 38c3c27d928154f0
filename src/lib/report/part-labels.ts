import type { GrowthPart, PartName } from '../estimate/memory-estimate.js';

/** What people call the parts of an estimate. */
export const PART_LABELS: Readonly<Record<PartName, string>> = {
  weights: 'weights',
  'weights-unread': 'weights, read no more',
  'weights-copy': 'weights, copied',
  'kv-cache': 'KV cache',
  'recurrent-state': 'recurrent state',
  compute: 'compute buffer',
  output: 'output buffer',
  mmproj: 'multimodal projector',
  'runtime-overhead': 'runtime overhead',
};

export const GROWTH_LABELS: Readonly<Record<GrowthPart['name'], string>> = {
  'prompt-cache': 'prompt cache',
  'context-checkpoints': 'context checkpoints',
};
