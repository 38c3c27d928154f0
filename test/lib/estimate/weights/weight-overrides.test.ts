import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { parseServerArguments, splitWords } from '../../../../src/lib/runtime/server-arguments.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const mixture = describeModel(profileHeader(readProfile(join(PROFILES, 'qwen3-30b-a3b.Q4_K_M.json'))));
const dense = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));

function estimated(line: string, more: Partial<LaunchOptions> = {}, shape = mixture) {
  const { options } = parseServerArguments(splitWords(line));
  return estimateMemory(shape, {
    llamaCpp: 'v0.5.0',
    accelerator: 'cuda',
    cpuArch: 'x86',
    ctxSize: 8192,
    ...more,
    ...options,
  }).parts;
}

describe('weights go where --override-tensor says', () => {
  test('experts on the CPU are what --cpu-moe means', () => {
    expect(estimated('-ot exps=CPU')).toEqual(estimated('--cpu-moe'));
  });

  test('on memory that the GPU shares too, where the CPU makes copies of its own', () => {
    const metal = { accelerator: 'metal', cpuArch: 'arm' } as const;
    expect(estimated('-ot exps=CPU', metal)).toEqual(estimated('--cpu-moe', metal));
    const copies = estimated('-ot exps=CPU', metal).find(({ name }) => name === 'weights-copy');
    expect(copies?.bytes).toBeGreaterThan(16 * 2 ** 30);
  });

  test('the first layers of experts are what --n-cpu-moe means', () => {
    expect(estimated(String.raw`-ot "blk\.[0-3]\.ffn_.*_exps=CPU"`)).toEqual(estimated('--n-cpu-moe 4'));
  });

  test('all experts stay on the CPU whatever else says a number, in either order', () => {
    const all = estimated('--cpu-moe');
    expect(estimated('--cpu-moe --n-cpu-moe 4')).toEqual(all);
    expect(estimated('--n-cpu-moe 4 --cpu-moe')).toEqual(all);
  });

  test('the first that fits a name holds', () => {
    expect(estimated('--cpu-moe -ot exps=CUDA0')).toEqual(estimated('--cpu-moe'));
    expect(estimated('-ot exps=CUDA0 --cpu-moe').filter(({ name }) => name.startsWith('weights'))).toEqual(
      estimated('').filter(({ name }) => name.startsWith('weights')),
    );
  });

  test('one GPU takes what would be on another, and batches no longer overlap', () => {
    const two = { gpus: 2 };
    const [first, second] = [0, 1].map((gpu) =>
      estimated('-ot blk=CUDA1', two, dense).find((part) => part.name === 'weights-copy' && part.gpu === gpu),
    );
    const rotaryFactors = 256;
    const all = [...dense.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const embedding = dense.tensors.get('token_embd.weight')?.bytes ?? 0;
    // Each GPU has rotary factors of its own; no row of this file needs padding.
    expect(first?.bytes).toBe(rotaryFactors);
    expect(second?.bytes).toBe(all - embedding);
  });

  test('dense feed-forward weights stay on the host with --n-cpu-ffn', () => {
    const pattern = String.raw`-ot "blk\.[0-7]\.ffn_(up|down|gate)\.=CPU"`;
    expect(estimated('--n-cpu-ffn 8', {}, dense)).toEqual(estimated(pattern, {}, dense));
    expect(estimated('--n-cpu-ffn 8', {}, dense)).not.toEqual(estimated('', {}, dense));
  });

  test('a buffer that llama.cpp has not is refused', () => {
    expect(() => estimated('-ot exps=CUDA1')).toThrow('here it has CPU, CUDA0');
    expect(() => estimated('-ot exps')).toThrow('expects PATTERN=BUFFER');
  });
});

describe('with no GPU left', () => {
  test('the CPU repacks what it would not beside one', () => {
    const copied = (line: string): number =>
      estimated(line, {}, dense).find(({ name, device }) => name === 'weights-copy' && device === 'host')?.bytes ?? 0;
    expect(copied('-ngl 0')).toBe(0);
    expect(copied('--device none')).toBeGreaterThan(2 ** 30);
    expect(copied('-ngl 0 --no-host')).toBe(copied('--device none'));
  });
});
