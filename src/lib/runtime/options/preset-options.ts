import { SERVER_DEFAULTS } from '../server-defaults.js';
import type { LaunchPatch } from './server-options.js';

/** The trained context, and not as `--ctx-size 0` says it: `--fit` may make it smaller. */
const OPEN_CONTEXT: LaunchPatch = { ctxSize: 0, fitCtx: SERVER_DEFAULTS.fitCtx };
const FIM: LaunchPatch = { ...OPEN_CONTEXT, batchSize: 1024, ubatchSize: 1024 };
const GPT_OSS: LaunchPatch = { ctxSize: 262_144, parallel: 2, batchSize: 32_768, ubatchSize: 2048 };
const VISION: LaunchPatch = OPEN_CONTEXT;

/**
 * Options that load a model of their own choice and set others beside: the end of `common_params_parser_init` in
 * `common/arg.cpp` of llama.cpp v0.5.0.
 */
const PRESETS: ReadonlyMap<string, LaunchPatch> = new Map([
  ['--embd-gemma-default', { ctxSize: 65_536, parallel: 32, batchSize: 2048, ubatchSize: 2048, mode: 'embedding' }],
  ['--fim-qwen-1.5b-default', FIM],
  ['--fim-qwen-3b-default', FIM],
  ['--fim-qwen-7b-default', FIM],
  ['--fim-qwen-7b-spec', FIM],
  ['--fim-qwen-14b-spec', FIM],
  ['--fim-qwen-30b-default', FIM],
  ['--gpt-oss-20b-default', GPT_OSS],
  ['--gpt-oss-120b-default', GPT_OSS],
  ['--vision-gemma-4b-default', VISION],
  ['--vision-gemma-12b-default', VISION],
]);

/** What a preset sets beside its model; undefined for any other option. */
export function presetPatch(name: string): LaunchPatch | undefined {
  return PRESETS.get(name);
}
