import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parseDuration } from './values/duration.js';

/** The one argument of every command that looks at a model. */
export const modelArg = Args.string({
  description:
    'catalogue id or alias, http(s) URL, hf:OWNER/REPO[:QUANT], ollama:NAME[:TAG], lmstudio:NAME, ms:OWNER/REPO, or path of a GGUF file',
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
  'read-timeout': Flags.custom<number>({
    description: 'the most that reading one header takes, such as 30s or 5m; 120s unless said otherwise',
    env: 'LLMKUBE_READ_TIMEOUT',
    helpGroup: 'MODEL',
    helpValue: 'DURATION',
    parse: async (text) => parseDuration(text, '--read-timeout'),
  })(),
};
