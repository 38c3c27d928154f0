import { fileURLToPath } from 'node:url';
import { estimateMemory } from '../src/lib/estimate/estimate-memory.js';
import { describeLanguageModel } from '../src/lib/model/describe-language-model.js';
import type { LaunchOptions } from '../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../test/support/profile.js';

/* Estimates a second on one core, for models of many layers. */

const ROUNDS = 300;
const MODELS = ['qwen-2.5-coder-32b.Q4_K_M', 'qwen-3-32b.Q4_K_M', 'gemma-3-27b.Q4_K_M', 'qwen3.6-35b-a3b.Q4_K_M'];
const LAUNCHES: readonly LaunchOptions[] = [
  { accelerator: 'metal', ctxSize: 8192 },
  { accelerator: 'metal', ctxSize: 32768, parallel: 1, flashAttn: 'off' },
  { accelerator: 'metal', ctxSize: 8192, gpuLayers: 24 },
  { accelerator: 'cpu', ctxSize: 8192 },
];

console.log(
  'model                      layers  launch                                                          ms  a second',
);
for (const name of MODELS) {
  const path = fileURLToPath(new URL(`../../../test/oracle/profiles/${name}.json`, import.meta.url));
  const shape = describeLanguageModel(profileHeader(readProfile(path)));
  for (const launch of LAUNCHES) {
    for (let i = 0; i < ROUNDS / 3; i++) estimateMemory(shape, launch);
    const before = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) estimateMemory(shape, launch);
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000 / ROUNDS;
    const columns = [
      name.padEnd(27),
      String(shape.hparams.nLayer).padStart(5),
      `  ${JSON.stringify(launch).padEnd(60)}`,
    ];
    console.log(columns.join(' '), ms.toFixed(2).padStart(5), (1000 / ms).toFixed(0).padStart(9));
  }
}
