import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { resolveFit } from '../../src/lib/estimate/fit/resolve-fit.js';
import type { LaunchOptions } from '../../src/lib/runtime/launch-options.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../src/lib/model/model-shape.js';
import { profileHeader, readProfile } from '../support/models/profile.js';
import { PROFILES } from './cases.js';

interface FitCase {
  readonly profile: string;
  readonly machine: { readonly gpus: number; readonly totalMiB: number; readonly freeMiB: number };
  readonly launch: {
    readonly ctx?: number;
    readonly parallel?: number;
    readonly ctk?: string;
    readonly ctv?: string;
    readonly devices?: readonly number[];
    readonly spec_type?: string;
  };
  /** What a real llama-server v0.5.0 chose. */
  readonly fit: {
    readonly aimed?: number;
    readonly nCtx?: number;
    readonly gpuLayers: number;
    readonly overridden?: Readonly<Record<string, readonly number[]>>;
  };
}

const MIB = 2 ** 20;
const HOST = { totalBytes: 64 * 2 ** 30 };
const CASES = readFileSync(new URL('cases-fit.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as FitCase);

function launchOf({ launch, machine }: FitCase): LaunchOptions {
  const { ctx, parallel, ctk, ctv, devices, spec_type: type } = launch;
  return {
    accelerator: 'cuda',
    cpuArch: 'x86',
    llamaCpp: 'v0.5.0',
    gpus: machine.gpus,
    ...(ctx !== undefined && { ctxSize: ctx }),
    ...(parallel !== undefined && { parallel }),
    ...(devices !== undefined && { devices }),
    ...(type !== undefined && { specTypes: [type] }),
    ...(ctk !== undefined && { cacheTypeK: ctk as 'q8_0' }),
    ...(ctv !== undefined && { cacheTypeV: ctv as 'q8_0' }),
  };
}

describe('what llama-server chooses when context or layers are left open', () => {
  test.each(CASES.map((each) => [`${each.profile} ${JSON.stringify([each.machine, each.launch])}`, each] as const))(
    '%s',
    (_, fitCase) => {
      const { machine, launch, fit } = fitCase;
      const gpu = { totalBytes: machine.totalMiB * MIB, freeBytes: machine.freeMiB * MIB };
      const gpus = Array.from({ length: machine.gpus }, () => gpu);
      const model = describeModel(profileHeader(readProfile(join(PROFILES, `${fitCase.profile}.json`))));
      const chosen = resolveFit({ model }, launchOf(fitCase), { gpus, host: HOST });
      const nCtx = fit.nCtx ?? launch.ctx ?? fit.aimed;
      expect(chosen).toMatchObject({ ...(nCtx !== undefined && { nCtx }), gpuLayers: fit.gpuLayers });
      expect(chosen.overridden).toEqual(fit.overridden ?? {});
    },
  );

  test('a draft that borrows the embeddings of its model cannot be measured, and is fitted without', () => {
    const shapeOf = (path: string): ModelShape => describeModel(profileHeader(readProfile(path)));
    const model = shapeOf(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'));
    const draft = shapeOf(join(PROFILES, '../drafts/profiles/eagle3-llama-3.1-8b.F16.json'));
    const gpu = { totalBytes: 16_000 * MIB, freeBytes: 16_000 * MIB };
    const launch = { accelerator: 'cuda', cpuArch: 'x86', llamaCpp: 'v0.5.0', specTypes: ['draft-eagle3'] } as const;
    expect(resolveFit({ model, draft }, launch, { gpus: [gpu], host: HOST }).nCtx).toBe(82_944);
  });
});
