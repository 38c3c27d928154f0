import { Args, Flags } from '@oclif/core';

/** The one argument of every command that looks at a model. */
export const modelArg = Args.string({
  description: 'catalogue id or alias, http(s) URL, hf:OWNER/REPO[:QUANT], or path of a GGUF file',
  ignoreStdin: true,
  required: true,
});

/** Where models are looked up. */
export const modelFlags = {
  catalog: Flags.string({
    description: 'your own catalogue file, whose entries are added to (and win over) the bundled ones',
    env: 'LLMKUBE_CATALOG',
    helpGroup: 'MODEL',
    helpValue: 'FILE',
  }),
  offline: Flags.boolean({
    description: 'contact nothing: read local files, the cache and the bundled headers only',
    env: 'LLMKUBE_OFFLINE',
    helpGroup: 'MODEL',
  }),
};
