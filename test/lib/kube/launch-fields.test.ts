import { describe, expect, test } from '@jest/globals';
import { gpuLayersField, launchFields } from '../../../src/lib/kube/launch-fields.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { RESOLVED } from '../../support/deploy/deploy-plans.js';

const NOTHING_CHECKED = undefined;

describe('launch options in the resources', () => {
  const cases: [string, LaunchOptions, object, string[]][] = [
    ['nothing that was not set', { accelerator: 'cpu' }, {}, []],
    [
      'sizes',
      { accelerator: 'cpu', ctxSize: 4096, parallel: 2, batchSize: 1024, ubatchSize: 256 },
      { contextSize: 4096, parallelSlots: 2, batchSize: 1024, uBatchSize: 256 },
      [],
    ],
    [
      'cache types of the enum',
      { accelerator: 'cpu', cacheTypeK: 'q8_0', cacheTypeV: 'iq4_nl' },
      { cacheTypeK: 'q8_0', cacheTypeV: 'iq4_nl' },
      [],
    ],
    [
      'bf16, which the enum lacks',
      { accelerator: 'cpu', cacheTypeK: 'bf16', cacheTypeV: 'bf16' },
      { cacheTypeCustomK: 'bf16', cacheTypeCustomV: 'bf16' },
      [],
    ],
    ['a KV cache that stays on the host', { accelerator: 'cuda', kvOffload: false }, { noKvOffload: true }, []],
    [
      'the default side of an option is left out',
      { accelerator: 'cuda', kvOffload: true, mmap: true, repack: true, opOffload: true, swaFull: false },
      {},
      [],
    ],
    ['some experts on the CPU', { accelerator: 'cuda', cpuMoeLayers: 12 }, { moeCPULayers: 12 }, []],
    ['all experts on the CPU', { accelerator: 'cuda', cpuMoeLayers: Infinity }, { moeCPUOffload: true }, []],
    [
      'options without a field',
      {
        accelerator: 'cpu',
        kvUnified: false,
        swaFull: true,
        mmap: false,
        repack: false,
        opOffload: false,
        cacheRamMiB: 0,
        ctxCheckpoints: 4,
      },
      {},
      [
        '--no-kv-unified',
        '--swa-full',
        '--load-mode',
        'none',
        '--no-repack',
        '--no-op-offload',
        '--cache-ram',
        '0',
        '--ctx-checkpoints',
        '4',
      ],
    ],
    ['unified KV', { accelerator: 'cpu', kvUnified: true }, {}, ['--kv-unified']],
    ['flash attention on with a GPU', { accelerator: 'cuda', flashAttn: 'on' }, { flashAttention: true }, []],
    [
      'flash attention on without one, which the operator would not pass on',
      { accelerator: 'cpu', flashAttn: 'on' },
      { flashAttention: true },
      ['--flash-attn', 'on'],
    ],
    [
      'flash attention off, which no field says',
      { accelerator: 'metal', flashAttn: 'off' },
      { flashAttention: false },
      ['--flash-attn', 'off'],
    ],
    [
      'flash attention auto, where the agent would turn it on',
      { accelerator: 'metal', flashAttn: 'auto' },
      {},
      ['--flash-attn', 'auto'],
    ],
    [
      'one slot, which the agent on a Mac leaves out',
      { accelerator: 'metal', parallel: 1 },
      { parallelSlots: 1 },
      ['--parallel', '1'],
    ],
    ['one slot elsewhere', { accelerator: 'cuda', parallel: 1 }, { parallelSlots: 1 }, []],
    ['no layer on the GPU, which both read as all', { accelerator: 'cuda', gpuLayers: 0 }, {}, ['--n-gpu-layers', '0']],
    ['mode', { accelerator: 'cpu', mode: 'embedding' }, { mode: 'embedding' }, []],
  ];
  test.each(cases)('%s', (_, launch, fields, extraArgs) => {
    expect(launchFields(launch, NOTHING_CHECKED)).toEqual({ fields, extraArgs });
  });

  test.each([undefined, 0])('the context that was checked is named when none was asked for (%p)', (ctxSize) => {
    const launch = { accelerator: 'metal', ...(ctxSize !== undefined && { ctxSize }) } as const;
    expect(launchFields(launch, { ...RESOLVED, nCtx: 131072 }).fields).toEqual({ contextSize: 131072 });
  });

  test('a trained context beyond the bounds of the API goes to llama-server itself', () => {
    const launch = { accelerator: 'metal' } as const;
    expect(launchFields(launch, { ...RESOLVED, nCtx: 10485760 })).toEqual({
      fields: {},
      extraArgs: ['--ctx-size', '10485760'],
    });
  });

  test('the agent is told auto where flash attention was found to be impossible', () => {
    const launch = { accelerator: 'metal', ctxSize: 4096 } as const;
    expect(launchFields(launch, { ...RESOLVED, flashAttn: false }).extraArgs).toEqual(['--flash-attn', 'auto']);
  });
});

describe('drafting in the resources', () => {
  const fieldsOf = (launch: Partial<LaunchOptions>, draftModel?: string) =>
    launchFields({ accelerator: 'cuda', ...launch }, NOTHING_CHECKED, draftModel);

  test("is the API's own field: a model's own head, and a draft among its files", () => {
    expect(fieldsOf({ specTypes: ['draft-mtp'], draftMax: 2 })).toEqual({
      fields: { speculativeDecoding: { type: 'draft-mtp', nDraftMax: 2 } },
      extraArgs: [],
    });
    const draft = { draft: 'hf:o/r/eagle3-m.gguf', specTypes: ['draft-eagle3'], draftGpuLayers: 0 };
    expect(fieldsOf(draft, 'eagle3-m.gguf')).toEqual({
      fields: { speculativeDecoding: { type: 'draft-eagle3', draftModel: 'eagle3-m.gguf' } },
      extraArgs: ['--spec-draft-ngl', '0'],
    });
  });

  test('is words where llama-server fetches the draft, where two types add up, and on a Mac, whose agents do not read it', () => {
    const { fields, extraArgs } = fieldsOf({ draft: 'hf:o/r:Q8_0', specTypes: ['draft-simple'] });
    expect([fields, extraArgs]).toEqual([{}, ['--spec-type', 'draft-simple', '--spec-draft-hf', 'o/r:Q8_0']]);
    expect(fieldsOf({ specTypes: ['draft-mtp', 'ngram-mod'] }).extraArgs).toEqual([
      '--spec-type',
      'draft-mtp,ngram-mod',
    ]);
    const onMac = fieldsOf({ accelerator: 'metal', specTypes: ['draft-mtp'] });
    expect([onMac.fields, onMac.extraArgs]).toEqual([{}, ['--spec-type', 'draft-mtp']]);
  });
});

describe('the layers of a Model', () => {
  const field = (launch: LaunchOptions, layers?: number): number =>
    gpuLayersField(launch, layers === undefined ? undefined : { ...RESOLVED, gpuLayers: layers });

  test('are those that were asked for', () => {
    expect([field({ accelerator: 'cuda', gpuLayers: 0 }), field({ accelerator: 'metal', gpuLayers: 20 }, 33)]).toEqual([
      0, 20,
    ]);
  });

  test('are all of them where none were: on a Mac by their number, for the operator -1, which it passes on as 99', () => {
    expect([field({ accelerator: 'metal' }, 33), field({ accelerator: 'metal', gpuLayers: -1 })]).toEqual([33, 999]);
    expect([
      field({ accelerator: 'cuda' }, 33),
      field({ accelerator: 'cuda' }, 99),
      field({ accelerator: 'cuda' }),
    ]).toEqual([...[-1, -1, -1]]);
    expect(field({ accelerator: 'cuda' }, 127)).toBe(127);
  });
});
