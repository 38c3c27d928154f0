import { ROPE_SCALINGS } from '../launch-options.js';
import { invalid, notNegative } from './option-values.js';
import type { LaunchPatch, ServerOption } from './server-options.js';

/** How positions are scaled: `common_params_parser_init` in `common/arg.cpp` of llama.cpp v0.5.0. */
export const ROPE_OPTIONS: readonly ServerOption[] = [
  option('--rope-scaling', 'ROPE_SCALING_TYPE', (value) => {
    const known = ROPE_SCALINGS.find((scaling) => scaling === value);
    if (known === undefined) throw invalid(`expects one of ${ROPE_SCALINGS.join(', ')}, not "${value}"`);
    return { ropeScaling: known };
  }),
  option('--rope-scale', 'ROPE_SCALE', (value) => ({ ropeFreqScale: 1 / above0(value) })),
  option('--rope-freq-scale', 'ROPE_FREQ_SCALE', (value) => ({ ropeFreqScale: real(value) })),
  option('--yarn-orig-ctx', 'YARN_ORIG_CTX', (value) => ({ yarnOrigCtx: Math.trunc(real(value)) })),
];

function option(name: string, env: string, patch: (value: string) => LaunchPatch): ServerOption {
  return { names: [name], takesValue: true, env: `LLAMA_ARG_${env}`, patch };
}

function real(value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) throw invalid(`expects a number, not "${value}"`);
  return notNegative(number);
}

function above0(value: string): number {
  const number = real(value);
  if (number === 0) throw invalid('expects a number above 0');
  return number;
}
