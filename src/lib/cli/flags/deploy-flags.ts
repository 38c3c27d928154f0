import type { InferredFlags } from '@oclif/core/interfaces';
import * as Flags from '@oclif/core/flags';
import { FORMATS, GPU_VENDORS, RUNTIMES } from '../../kube/client/api.js';
import { parseDuration } from './values/duration.js';
import { parseList } from './values/list-value.js';

const MODEL = 'MODEL';
const GPU = 'GPU';
const SCALE = 'SCALE';
const CONTAINER = 'CONTAINER';
const OUTPUT = 'OUTPUT';

const durationFlag = Flags.custom<number>({
  helpValue: '10m',
  parse: async (input, _context, { name }) => parseDuration(input, `--${name}`),
});

/** A value may hold several, separated by commas; one with a comma in it is put in double quotes. */
function listFlag(options: { description: string; helpValue: string }) {
  return Flags.string({ ...options, helpGroup: CONTAINER, multiple: true, multipleNonGreedy: true });
}

/** What `deploy` can be told beside what changes memory; bounds are checked when the resources are built. */
export const deployFlags = {
  name: Flags.string({
    description: 'name of the resources (default: the model as typed, or the name of its file)',
    helpGroup: MODEL,
  }),
  agent: Flags.string({
    description: 'the only host agent that may run it, by the name that "llmkube hosts" shows',
    helpGroup: MODEL,
  }),
  source: Flags.string({
    char: 's',
    description: 'where the model is; the argument is only its name then',
    env: 'LLMKUBE_SOURCE',
    helpGroup: MODEL,
  }),
  'source-override': Flags.string({
    description: "a local GGUF file instead of the catalogue's source, with the catalogue's defaults (air-gapped)",
    env: 'LLMKUBE_SOURCE_OVERRIDE',
    exclusive: ['source'],
    helpGroup: MODEL,
  }),
  format: Flags.option({ options: FORMATS })({
    default: 'gguf',
    description: 'format of the model',
    helpGroup: MODEL,
  }),
  sha256: Flags.string({ description: 'SHA-256 that the downloaded file must have', helpGroup: MODEL }),
  'from-cache': Flags.boolean({
    description: 'fail unless the operator has fetched this source before',
    helpGroup: MODEL,
  }),
  'skip-cache': Flags.boolean({
    description: 'refused: the LLMKube API has nothing that forces a download',
    helpGroup: MODEL,
    hidden: true,
  }),
  'skip-model-init': Flags.boolean({
    description: 'the image brings the model: fetch nothing',
    helpGroup: MODEL,
  }),
  gpu: Flags.boolean({
    allowNo: true,
    description: 'use a GPU: metal on Apple silicon, else cuda, unless --accelerator says which',
    helpGroup: GPU,
  }),
  'gpu-count': Flags.integer({ description: 'GPUs per pod (default: as many as are checked, or 1)', helpGroup: GPU }),
  'gpu-vendor': Flags.option({ options: GPU_VENDORS })({
    description: "whose GPU a pod asks for (default: the accelerator's)",
    helpGroup: GPU,
  }),
  replicas: Flags.integer({
    char: 'r',
    description: 'number of replicas (default: 1, or as it was scaled)',
    helpGroup: SCALE,
  }),
  'min-replicas': Flags.integer({ description: 'fewest replicas when autoscaling', helpGroup: SCALE }),
  'max-replicas': Flags.integer({ description: 'most replicas; turns on autoscaling', helpGroup: SCALE }),
  'autoscale-metric': Flags.string({
    description: 'metric of the pods to scale by (default: llamacpp:requests_processing)',
    helpGroup: SCALE,
  }),
  'node-port': Flags.integer({ description: 'serve on this port of every node (30000-32767)', helpGroup: SCALE }),
  runtime: Flags.option({ options: RUNTIMES })({
    default: 'llamacpp',
    description: 'what serves the model; only llama-server can be checked',
    helpGroup: CONTAINER,
  }),
  image: Flags.string({ description: 'container image (default: by accelerator)', helpGroup: CONTAINER }),
  cpu: Flags.string({
    description: "CPU request (default: the catalogue's, or 2)",
    helpGroup: CONTAINER,
  }),
  memory: Flags.string({
    description: "memory request (default: what the check says the container holds, else the catalogue's, or 4Gi)",
    helpGroup: CONTAINER,
    helpValue: '4Gi',
  }),
  'container-port': Flags.integer({ description: 'port in the container', helpGroup: CONTAINER }),
  jinja: Flags.boolean({ allowNo: true, description: 'chat templates by Jinja, for tool calls', helpGroup: CONTAINER }),
  env: listFlag({ description: 'environment variables', helpValue: 'NAME=VALUE' }),
  command: listFlag({ description: 'entrypoint of the container (generic runtime)', helpValue: 'WORD' }),
  args: listFlag({ description: 'arguments of the container (generic runtime)', helpValue: 'WORD' }),
  wait: Flags.boolean({
    allowNo: true,
    char: 'w',
    default: true,
    description: 'wait until the service answers',
    env: 'LLMKUBE_WAIT',
    helpGroup: OUTPUT,
  }),
  timeout: durationFlag({
    default: 10 * 60_000,
    defaultHelp: async () => '10m',
    description: 'how long to wait, such as 90s, 10m or 1h30m',
    env: 'LLMKUBE_TIMEOUT',
    helpGroup: OUTPUT,
  }),
  'dry-run': Flags.option({ options: ['none', 'client', 'server'] as const })({
    default: 'none',
    description: 'client: print what would be sent and contact no cluster; server: let the cluster check it too',
    helpGroup: OUTPUT,
  }),
  output: Flags.option({ options: ['yaml', 'json', 'name'] as const })({
    char: 'o',
    description: 'print the resources; stdout is then good for kubectl apply -f -',
    exclusive: ['json'],
    helpGroup: OUTPUT,
  }),
  'force-conflicts': Flags.boolean({
    description: 'take over fields that somebody else owns',
    helpGroup: OUTPUT,
  }),
};

/** What `deployFlags` parse to. */
export type DeployFlagValues = Partial<DeployFlags> &
  Pick<DeployFlags, 'format' | 'runtime' | 'skip-cache' | 'skip-model-init'>;
type DeployFlags = InferredFlags<typeof deployFlags>;

/** Words of a flag that may be given several times and hold several each. */
export function wordsOf(values: readonly string[] | undefined): string[] | undefined {
  return values?.flatMap(parseList);
}
