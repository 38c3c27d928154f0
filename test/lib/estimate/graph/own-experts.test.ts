import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import type { GgufHeader } from '../../../../src/lib/gguf/header.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const NEMOTRON = join(PROFILES, 'nemotron_h_moe-nemotron-3-nano-30b-a3b.json');

/** Nemotron 3 Nano, whose layers 1, 3 and 6 have other experts than 128. */
function withExperts(count: number): GgufHeader {
  const header = profileHeader(readProfile(NEMOTRON));
  const isOfExperts = /^blk\.[136]\.(ffn_gate_inp\.weight|exp_probs_b\.bias|ffn_(up|down)_exps\.weight)$/;
  const tensors = header.tensors.map((tensor) =>
    isOfExperts.test(tensor.name) ? { ...tensor, dims: [...tensor.dims.slice(0, -1), count] } : tensor,
  );
  return { ...header, tensors };
}

function computeBytes(count: number, llamaCpp: string): number | undefined {
  const launch = { accelerator: 'cpu', cpuArch: 'x86', ctxSize: 2048, parallel: 1, llamaCpp } as const;
  const { parts } = estimateMemory(describeModel(withExperts(count)), launch);
  return parts.find(({ name }) => name === 'compute')?.bytes;
}

// By llama.cpp b12032 and v0.5.0, of a file with these tensors.
describe('layers of Nemotron that have fewer experts than others', () => {
  test('are run by v0.8.0 and not by v0.5.0', () => {
    expect(computeBytes(96, 'b12032')).toBe(85475392);
    expect(() => computeBytes(96, 'v0.5.0')).toThrow(expect.objectContaining({ code: 'MODEL_GRAPH_INVALID' }));
  });

  test('never have more', () => {
    expect(() => computeBytes(200, 'b12032')).toThrow(/Invalid per-layer Nemotron expert count/);
  });
});
