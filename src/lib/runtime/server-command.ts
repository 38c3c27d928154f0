import { resolve } from 'node:path';
import { CheckIncompleteError } from '../errors.js';
import { addedUp } from './options/device-options.js';
import type { KvOverride } from './options/kv-overrides.js';
import { parseServerArguments, parseServerEnvironment } from './server-arguments.js';
import { serverOption, type LaunchPatch } from './options/server-options.js';
import { readServerWords, type ServerWord } from './server-words.js';
import { unmodelledOption, type UnmodelledEffect } from './options/unmodelled-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a command line of llama-server comes to. */
export type ServerCommand =
  /** It prints something and ends. */
  | { readonly kind: 'prints' }
  /** Without a model it loads none itself; later it starts one of its own for each that is asked for. */
  | { readonly kind: 'routes' }
  | {
      readonly kind: 'loads';
      /** As `parseModelSource` reads it. */
      readonly source: string;
      readonly patch: LaunchPatch;
      /** What is read in place of the header's values. */
      readonly overrides: readonly KvOverride[];
      /** Options that change memory and are not modelled, each with a sentence. */
      readonly remarks: readonly { readonly effect: UnmodelledEffect; readonly text: string }[];
      readonly address: ServerAddress;
    };

/** Where the server will answer. */
export interface ServerAddress {
  /** A host, or the path of a socket. */
  readonly host: string;
  /** Unset: the default of the llama.cpp that runs. */
  readonly port: number | undefined;
  /** Before every path of its API. */
  readonly prefix: string;
}

const PRINTS_AND_ENDS = [
  '-h',
  '--help',
  '--usage',
  '--version',
  '-cl',
  '--cache-list',
  '--completion-bash',
  '--list-devices',
];

/** Options whose place an environment variable can take, beside those of `SERVER_OPTIONS`: `set_env` in `common/arg.cpp`. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  LLAMA_ARG_HOST: '--host',
  LLAMA_ARG_PORT: '--port',
  LLAMA_ARG_API_PREFIX: '--api-prefix',
  LLAMA_ARG_MODEL: '--model',
  LLAMA_ARG_MODEL_URL: '--model-url',
  LLAMA_ARG_DOCKER_REPO: '--docker-repo',
  LLAMA_ARG_HF_REPO: '--hf-repo',
  LLAMA_ARG_HF_FILE: '--hf-file',
  LLAMA_ARG_MMPROJ: '--mmproj',
  LLAMA_ARG_MMPROJ_URL: '--mmproj-url',
  LLAMA_ARG_SPEC_DRAFT_MODEL: '--spec-draft-model',
  LLAMA_ARG_MODEL_DRAFT: '--model-draft',
  LLAMA_ARG_SPEC_DRAFT_HF_REPO: '--spec-draft-hf',
  LLAMA_ARG_HFD_REPO: '--hf-repo-draft',
  LLAMA_ARG_SPEC_TYPE: '--spec-type',
  LLAMA_ARG_SPEC_DRAFT_CPU_MOE: '--spec-draft-cpu-moe',
  LLAMA_ARG_SPEC_DRAFT_N_CPU_MOE: '--spec-draft-n-cpu-moe',
  LLAMA_ARG_CHECKPOINT_MIN_SPACING_NT: '--checkpoint-min-step',
  LLAMA_ARG_OVERRIDE_TENSOR: '--override-tensor',
  LLAMA_ARG_N_CPU_FFN: '--n-cpu-ffn',
  LLAMA_ARG_DEVICE: '--device',
  LLAMA_ARG_SPLIT_MODE: '--split-mode',
  LLAMA_ARG_TENSOR_SPLIT: '--tensor-split',
  LLAMA_ARG_MAIN_GPU: '--main-gpu',
  LLAMA_ARG_RPC: '--rpc',
  LLAMA_ARG_FIT: '--fit',
  LLAMA_ARG_FIT_CTX: '--fit-ctx',
  LLAMA_ARG_FIT_TARGET: '--fit-target',
  LLAMA_ARG_LAZY_MODE: '--lazy-mode',
  LLAMA_ARG_MOE_CACHE_MIB: '--moe-cache-mib',
  LLAMA_ARG_MODELS_DIR: '--models-dir',
  LLAMA_ARG_MODELS_PRESET: '--models-preset',
};

/** What stands for a whole launch, a model on the hub and its options, or for many. */
const PRESETS = /^(--(embd|fim|gpt-oss|vision)-.+|--models-dir|--models-preset)$/;

/** Not among the unmodelled options of a model that was named otherwise: here they name it. */
const NAMES_THE_MODEL = [
  '-m',
  '--model',
  '-mu',
  '--model-url',
  '-dr',
  '--docker-repo',
  '-hf',
  '-hfr',
  '--hf-repo',
  '-hff',
  '--hf-file',
];

/** Whether an option of llama-server says which model it loads. */
export function namesTheModel(option: string): boolean {
  return NAMES_THE_MODEL.includes(option);
}

/**
 * What llama-server will load and with which options, read as it reads them: `LLAMA_ARG_*` first, then the command line, the last
 * one wins (`common_params_parse_ex` in `common/arg.cpp` of llama.cpp v0.5.0).
 * @param words the command line after the program's name
 * @throws CheckIncompleteError OPTION_UNKNOWN, MODEL_UNKNOWN
 * @throws UsageError INVALID_SERVER_OPTION
 */
export function readServerCommand(words: readonly string[], env: Environment, cwd: string): ServerCommand {
  const typed = readServerWords(words);
  if (typed.some(({ name }) => PRINTS_AND_ENDS.includes(name))) return { kind: 'prints' };
  const all = [...environmentWords(env), ...typed];
  const preset = all.find(({ name }) => PRESETS.test(name));
  if (preset !== undefined) {
    throw new CheckIncompleteError(
      'MODEL_UNKNOWN',
      `${preset.name} lets llama-server choose models and options of its own`,
      {
        suggestions: ['name the model and its options on the command line'],
      },
    );
  }
  const model = modelOf(all, cwd);
  if (model === undefined) return { kind: 'routes' };
  const modelled = typed.filter(({ name }) => serverOption(name) !== undefined || name === '--override-kv');
  const { options, overrides } = parseServerArguments(modelled.flatMap(({ name, values }) => [name, ...values]));
  return {
    kind: 'loads',
    ...model,
    patch: addedUp(parseServerEnvironment(env).options, options),
    overrides,
    remarks: remarksOn(all),
    address: addressOf(all),
  };
}

/** Those variables that hold options. */
export function optionVariables(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => /^(LLAMA_ARG_|MTMD_BACKEND_DEVICE$)/.test(name)));
}

function environmentWords(env: Environment): readonly ServerWord[] {
  return Object.entries(ENVIRONMENT).flatMap(([variable, name]) => {
    const value = env[variable];
    return value === undefined || value === '' ? [] : [{ name, values: [value] }];
  });
}

/** `common_models_handler_apply` in `common/arg.cpp`: what the hub has wins over an address, and that over a path. */
function modelOf(all: readonly ServerWord[], cwd: string): { source: string } | undefined {
  const last = (...names: string[]): string | undefined => all.findLast(({ name }) => names.includes(name))?.values[0];
  const docker = last('-dr', '--docker-repo');
  if (docker !== undefined) {
    throw new CheckIncompleteError('MODEL_UNKNOWN', 'what --docker-repo would load cannot be read from here', {
      suggestions: ['give the same model by -hf or -m'],
    });
  }
  const repository = last('-hf', '-hfr', '--hf-repo');
  if (repository !== undefined) {
    const file = last('-hff', '--hf-file');
    const [name = ''] = repository.split(':');
    const source = file === undefined ? `hf:${repository}` : `hf:${name}/${file}`;
    return { source };
  }
  const url = last('-mu', '--model-url');
  if (url !== undefined) return { source: url };
  const path = last('-m', '--model');
  return path === undefined || path === '' ? undefined : { source: resolve(cwd, path) };
}

/** Defaults of `common_params` in `common/common.h`. */
function addressOf(all: readonly ServerWord[]): ServerAddress {
  const last = (name: string): string | undefined => all.findLast((word) => word.name === name)?.values[0];
  const port = last('--port');
  return {
    host: last('--host') ?? '127.0.0.1',
    port: port === undefined ? undefined : Number(port),
    prefix: last('--api-prefix') ?? '',
  };
}

function remarksOn(all: readonly ServerWord[]): { effect: UnmodelledEffect; text: string }[] {
  return all.flatMap(({ name, values }) => {
    const unmodelled = NAMES_THE_MODEL.includes(name) ? undefined : unmodelledOption(name);
    const isOff = name === '--spec-type' && values[0] === 'none';
    return unmodelled === undefined || isOff
      ? []
      : [{ effect: unmodelled.effect, text: `${name} ${unmodelled.consequence}` }];
  });
}

/**
 * Files in which llama-server v0.5.0 looks for options before all others: `common_params_apply_system_config`.
 * @param home this user's folder where `HOME` is not set, as for services of the system
 */
export function configFiles(env: Environment, home?: string): readonly string[] {
  const folder = env.HOME || home;
  const own = env.XDG_CONFIG_HOME ? `${env.XDG_CONFIG_HOME}/` : folder ? `${folder}/.config/` : undefined;
  return ['/etc/llama.cpp/config.ini', ...(own === undefined ? [] : [`${own}llama.cpp/config.ini`])];
}
