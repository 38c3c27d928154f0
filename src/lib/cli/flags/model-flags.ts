import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

/** The one argument of every command that looks at a model. */
export const modelArg = Args.string({
  description: 'catalogue id or alias, http(s) URL, hf:OWNER/REPO[:QUANT], or path of a GGUF file',
  ignoreStdin: true,
  required: true,
});

export const catalogFlag = Flags.string({
  description: 'your own catalogue file, whose entries are added to the bundled ones and win over them',
  env: 'LLMKUBE_CATALOG',
  helpGroup: 'MODEL',
  helpValue: 'FILE',
});

/** Where models are looked up. */
export const modelFlags = {
  catalog: catalogFlag,
  offline: Flags.boolean({
    description: 'contact nothing: read local files, the cache and the bundled headers only',
    env: 'LLMKUBE_OFFLINE',
    helpGroup: 'MODEL',
  }),
};
