import type { EnvVar, InferenceServiceSpec, ModelSpec } from '../../kube/client/api.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { normaliseOptionName, optionOfVariable } from '../../runtime/options/server-options.js';
import { table } from '../../table.js';
import { referencesIn } from './variable-references.js';
import { EVERY_LAYER } from '../../runtime/server-defaults.js';

/** Where llama-server finds and offers a service on this host. */
export interface Placement {
  /** Path of the file, or of its first shard. */
  readonly modelPath: string;
  readonly projectorPath?: string | undefined;
  readonly draftPath?: string | undefined;
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly accelerator: Accelerator;
  /** Performance cores; unset = llama-server's choice. */
  readonly threads?: number | undefined;
  /** Options that this llama-server's `--help` lists. */
  readonly known: ReadonlySet<string>;
}

/** Tokens where a service names none, as LLMKube's own agent has it. */
const DEFAULT_CONTEXT = 2048;
const DEFAULT_BATCH = 2048;
/** The lines that say how large each buffer is. */
const VERBOSITY = '4';

const MODE_WORDS = table<readonly string[]>({
  chat: [],
  embedding: ['--embedding', '--pooling', 'last', '--cache-ram', '0'],
  rerank: ['--reranking', '--embedding', '--pooling', 'rank', '--cache-ram', '0'],
} satisfies Readonly<Record<NonNullable<InferenceServiceSpec['mode']>, readonly string[]>>);

/** What the agent says itself, or what would have llama-server load something else: not for `extraArgs`. */
const RESERVED: readonly string[] = [
  ...[
    '--host',
    '--port',
    '--reuse-port',
    '--api-prefix',
    '--api-key',
    '--api-key-file',
    '--ssl-key-file',
    '--ssl-cert-file',
  ],
  ...['-m', '--model', '-mu', '--model-url', '-dr', '--docker-repo', '-hf', '-hfr', '--hf-repo', '-hff', '--hf-file'],
  ...[
    '-a',
    '--alias',
    '-hft',
    '--hf-token',
    '--models-dir',
    '--models-preset',
    '--log-file',
    '--log-disable',
    '--path',
  ],
];

/** The first word of `extraArgs` that is the agent's to say; undefined when there is none. */
export function reservedWord(extraArgs: readonly string[] | undefined): string | undefined {
  return extraArgs?.find((word) => RESERVED.includes(normaliseOptionName(word.split('=')[0] ?? '')));
}

/** How a service asks for a key of its own: `--api-key` of llama-server, on no command line that others of this host could read. */
const API_KEY = 'LLAMA_API_KEY';

/** Variables of a service that its server is started with: options that the check counts, and its key. */
export function passedVariables({ env = [] }: Pick<InferenceServiceSpec, 'env'>): readonly EnvVar[] {
  return env.filter(({ name }) => name === API_KEY || isCounted(name));
}

/** Which files of this host, and what of other places, is loaded is said by Model and service alone. */
const NAMES_FILES = ['--mmproj', '--mmproj-url', '--spec-draft-model', '--spec-draft-hf'];

function isCounted(variable: string): boolean {
  const names = optionOfVariable(variable)?.names;
  return names !== undefined && !names.some((name) => NAMES_FILES.includes(name));
}

/** Those, and the earlier ones that they refer to, in their order. */
export function neededVariables(spec: Pick<InferenceServiceSpec, 'env'>): readonly EnvVar[] {
  const needed = new Set(passedVariables(spec));
  const referred = new Set<string>();
  const { env = [] } = spec;
  for (const variable of [...env].reverse()) {
    if (referred.has(variable.name)) needed.add(variable);
    if (needed.has(variable)) for (const name of referencesIn(variable.value ?? '')) referred.add(name);
  }
  return env.filter((variable) => needed.has(variable));
}

/** The names of the others. */
export function leftVariables(spec: Pick<InferenceServiceSpec, 'env'>): readonly string[] {
  const passed = passedVariables(spec);
  return (spec.env ?? []).filter((one) => !passed.includes(one)).map(({ name }) => name);
}

/**
 * The command line of a service: what LLMKube's own agent passes, with context, layers and slots always named, since unset they
 * would be llama-server's to choose (`common_params_parser_init` in `common/arg.cpp` of llama.cpp v0.5.0).
 */
export function serverWords(service: InferenceServiceSpec, model: ModelSpec, place: Placement): readonly string[] {
  return [
    ...['--model', place.modelPath],
    ...(place.projectorPath === undefined ? [] : ['--mmproj', place.projectorPath]),
    ...['--host', place.host, '--port', String(place.port)],
    ...['--n-gpu-layers', String(gpuLayers(model, place.accelerator))],
    ...['--ctx-size', String(service.contextSize ?? DEFAULT_CONTEXT)],
    ...['--alias', place.alias, '--metrics'],
    ...ropeWords(service),
    ...option('--parallel', service.parallelSlots),
    ...flashAttention(service, place.accelerator),
    ...loadMode(place),
    ...option('--cache-type-k', service.cacheTypeCustomK ?? service.cacheTypeK),
    ...option('--cache-type-v', service.cacheTypeCustomV ?? service.cacheTypeV),
    ...toggle('--cpu-moe', service.moeCPUOffload),
    ...option('--n-cpu-moe', service.moeCPULayers),
    ...toggle('--no-kv-offload', service.noKvOffload),
    ...(service.tensorOverrides ?? []).flatMap((text) => ['--override-tensor', text]),
    ...(service.metadataOverrides ?? []).flatMap((text) => ['--override-kv', text]),
    ...option('--threads', place.threads),
    ...option('--batch-size', service.batchSize ?? DEFAULT_BATCH),
    ...option('--ubatch-size', service.uBatchSize),
    ...toggle('--no-warmup', service.noWarmup),
    ...option('--reasoning-budget', service.reasoningBudget),
    ...option('--reasoning-budget-message', service.reasoningBudgetMessage),
    ...toggle('--jinja', service.jinja),
    ...speculationWords(service, place),
    ...(place.known.has('--verbosity') ? ['--verbosity', VERBOSITY] : []),
    ...(MODE_WORDS[service.mode ?? 'chat'] ?? []),
    ...(service.extraArgs ?? []),
  ];
}

/** `layers: 0` is none, and -1 is all: llama-server would read it as whatever fits. */
function gpuLayers({ hardware }: ModelSpec, accelerator: Accelerator): number {
  if (accelerator === 'cpu') return 0;
  const layers = hardware?.gpu?.layers;
  return layers === undefined || layers < 0 ? EVERY_LAYER : layers;
}

/** On Metal weights stay where they are; from v0.5.0 on that is a load mode, and the older spelling is refused. */
function loadMode({ accelerator, known }: Placement): readonly string[] {
  if (accelerator !== 'metal') return [];
  if (known.has('--load-mode')) return ['--load-mode', 'mmap+mlock'];
  return known.has('--mlock') ? ['--mlock'] : [];
}

function flashAttention({ flashAttention: wanted }: InferenceServiceSpec, accelerator: Accelerator): readonly string[] {
  if (wanted === false) return ['--flash-attn', 'off'];
  return wanted === true || accelerator === 'metal' ? ['--flash-attn', 'on'] : [];
}

/** The operator's short names. */
const SPEC_TYPES = table({ mtp: 'draft-mtp', draft: 'draft-simple' });
const NO_SPECULATION: readonly string[] = ['none', 'disabled'];

/** Whether a service has tokens drafted, and by which type of llama-server. */
export function specType({ speculativeDecoding }: InferenceServiceSpec): string | undefined {
  const type = speculativeDecoding?.type;
  return type === undefined || NO_SPECULATION.includes(type) ? undefined : (SPEC_TYPES[type] ?? type);
}

function speculationWords(service: InferenceServiceSpec, { draftPath }: Placement): readonly string[] {
  const type = specType(service);
  if (type === undefined) return [];
  const { nDraftMax, pMin } = service.speculativeDecoding ?? {};
  return [
    ...['--spec-type', type],
    ...option('--spec-draft-model', draftPath),
    ...option('--spec-draft-n-max', nDraftMax),
    ...option('--spec-draft-p-min', pMin),
  ];
}

function ropeWords({ ropeScaling }: InferenceServiceSpec): readonly string[] {
  return [
    ...option('--rope-scaling', ropeScaling?.type),
    ...option('--rope-scale', ropeScaling?.factor),
    ...option('--yarn-orig-ctx', ropeScaling?.originalContext),
  ];
}

function option(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [name, String(value)];
}

function toggle(name: string, on: boolean | undefined): readonly string[] {
  return on === true ? [name] : [];
}
