import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import { UsageError } from '../../errors.js';
import { specTypes } from '../../runtime/options/draft-options.js';
import { CACHE_TYPES } from '../../runtime/launch-options.js';
import type { LaunchPatch } from '../../runtime/options/server-options.js';
import { gpuLayersFlag } from './values/gpu-layers.js';
import { wholeNumber } from './values/whole-number.js';

const HELP_GROUP = 'LAUNCH';

/** What is loaded beside the model and its projector, as llama-server names it. */
export const draftFlags = {
  'spec-draft-model': Flags.string({
    aliases: ['model-draft'],
    description: 'draft model for speculative decoding: a path, a URL or hf:OWNER/REPO/FILE.gguf',
    env: 'LLMKUBE_SPEC_DRAFT_MODEL',
    helpGroup: HELP_GROUP,
    helpValue: '<source>',
  }),
  'spec-type': Flags.string({
    description:
      "how to draft, such as draft-mtp for the head in the model's own file; separated by commas; none = not at all",
    env: 'LLMKUBE_SPEC_TYPE',
    helpGroup: HELP_GROUP,
  }),
  'spec-draft-n-max': wholeNumber({ min: 0 })({
    description: 'tokens drafted at a time; 3 unless said otherwise',
    env: 'LLMKUBE_SPEC_DRAFT_N_MAX',
    helpGroup: HELP_GROUP,
  }),
  'spec-draft-ngl': gpuLayersFlag({
    aliases: ['gpu-layers-draft'],
    description: "the draft's layers on the GPU; unset, all or auto = every layer",
    env: 'LLMKUBE_SPEC_DRAFT_NGL',
    helpGroup: HELP_GROUP,
  }),
  'spec-draft-type-k': Flags.option({ options: CACHE_TYPES })({
    description: "type of the draft's K cache",
    env: 'LLMKUBE_SPEC_DRAFT_TYPE_K',
    helpGroup: HELP_GROUP,
  }),
  'spec-draft-type-v': Flags.option({ options: CACHE_TYPES })({
    description: "type of the draft's V cache",
    env: 'LLMKUBE_SPEC_DRAFT_TYPE_V',
    helpGroup: HELP_GROUP,
  }),
  'spec-draft-device': Flags.string({
    description: 'the only GPUs for the draft; none = the CPU',
    env: 'LLMKUBE_SPEC_DRAFT_DEVICE',
    helpGroup: HELP_GROUP,
  }),
  lora: Flags.string({
    description: 'LoRA adapter to load beside the model: a path, a URL or hf:OWNER/REPO/FILE.gguf',
    env: 'LLMKUBE_LORA',
    helpGroup: HELP_GROUP,
    helpValue: '<source>',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'control-vector': Flags.string({
    description: 'control vector to load beside the model',
    env: 'LLMKUBE_CONTROL_VECTOR',
    helpGroup: HELP_GROUP,
    helpValue: '<source>',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** What `draftFlags` parse to. */
type DraftFlagValues = Partial<InferredFlags<typeof draftFlags>>;

/** Several files may stand in one value, as llama-server takes them. */
function filesOf(flags: DraftFlagValues, name: 'lora' | 'control-vector'): readonly string[] {
  const files = [flags[name] ?? []].flat().flatMap((value) => value.split(','));
  if (files.includes(''))
    throw new UsageError('BAD_SOURCE', `--${name} names a file that has no name; give its path or address`);
  return files;
}

export function draftPatch(flags: DraftFlagValues): LaunchPatch {
  const adapters = filesOf(flags, 'lora');
  const vectors = filesOf(flags, 'control-vector');
  const patch = {
    draft: flags['spec-draft-model'],
    draftMax: flags['spec-draft-n-max'],
    draftGpuLayers: flags['spec-draft-ngl'],
    draftCacheTypeK: flags['spec-draft-type-k'],
    draftCacheTypeV: flags['spec-draft-type-v'],
    adapters: adapters.length > 0 ? adapters : undefined,
    controlVectors: vectors.length > 0 ? vectors : undefined,
    ...(flags['spec-type'] !== undefined && specTypes(flags['spec-type'])),
  };
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}
