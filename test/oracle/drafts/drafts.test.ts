import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateLaunch } from '../../../src/lib/estimate/estimate-launch.js';
import { totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import { describeShape } from '../../../src/lib/model/describe-shape.js';
import type { AdapterShape, ModelShape } from '../../../src/lib/model/model-shape.js';
import type { CacheType, LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const here = dirname(fileURLToPath(import.meta.url));

/** A launch by llama.cpp v0.5.0, and all its buffers and mappings after start-up and after use. */
interface Case {
  readonly model: string;
  readonly draft?: string;
  readonly lora?: readonly string[];
  readonly launch: Readonly<Record<string, unknown>> & { readonly backend: 'metal' | 'cpu' };
  readonly start: number;
  readonly used: number;
}

const CASES = readFileSync(join(here, 'cases.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const shapes = new Map<string, ReturnType<typeof describeShape>>();

function shapeOf(name: string): ReturnType<typeof describeShape> {
  const folder = [join(here, 'profiles'), join(here, '../profiles')].find((one) =>
    existsSync(join(one, `${name}.json`)),
  );
  const known = shapes.get(name) ?? describeShape(profileHeader(readProfile(join(folder ?? here, `${name}.json`))));
  shapes.set(name, known);
  return known;
}

function draftWith(
  name: string,
  keys: Readonly<Record<string, string | boolean | number | readonly number[]>>,
): ModelShape {
  const base = profileHeader(readProfile(join(here, `profiles/${name}.json`)));
  return describeShape({
    ...base,
    metadata: new Map([...base.metadata, ...Object.entries(keys)] as never),
  }) as ModelShape;
}

function launchOf({ launch }: Case): LaunchOptions {
  const flag = (name: string): boolean | undefined => (launch[name] === undefined ? undefined : Boolean(launch[name]));
  const { backend, spec_type: types } = launch;
  const options = {
    llamaCpp: 'v0.5.0',
    accelerator: backend,
    cpuArch: backend === 'metal' ? ('arm' as const) : ('x86' as const),
    ctxSize: launch['ctx'] as number,
    parallel: launch['parallel'] as number | undefined,
    ubatchSize: launch['ubatch'] as number | undefined,
    flashAttn: launch['fa'] as 'off' | undefined,
    cacheTypeK: launch['ctk'] as CacheType | undefined,
    cacheTypeV: launch['ctv'] as CacheType | undefined,
    gpuLayers: launch['ngl'] as number | undefined,
    repack: flag('repack'),
    kvOffload: launch['no_kv_offload'] === undefined ? undefined : false,
    specTypes: typeof types === 'string' ? types.split(',') : undefined,
    draftMax: launch['draft_max'] as number | undefined,
    draftGpuLayers: launch['ngld'] as number | undefined,
    draftCacheTypeK: launch['ctkd'] as CacheType | undefined,
    draftCacheTypeV: launch['ctvd'] as CacheType | undefined,
    draftDevice: launch['devd'] as string | undefined,
    backendSampling: flag('backend_sampling'),
    adapterScale: launch['lora_scale'] as number | undefined,
    controlVector: flag('cvec'),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

function estimateOf(one: Case): ReturnType<typeof estimateLaunch> {
  const { model, draft, lora = [] } = one;
  return estimateLaunch(
    {
      model: shapeOf(model) as ModelShape,
      draft: draft === undefined ? undefined : (shapeOf(draft) as ModelShape),
      adapters: lora.map((name) => shapeOf(name) as AdapterShape),
    },
    launchOf(one),
  );
}

describe('what drafts, MTP heads and adapters add is what llama.cpp allocates', () => {
  test.each(
    CASES.map((one) => [[one.model, one.draft, ...(one.lora ?? [])].filter(Boolean).join(' + '), one] as const),
  )('%s, to the byte', (_name, one) => {
    const { parts, growth } = estimateOf(one);
    const start = parts.filter(({ name }) => name !== 'runtime-overhead').reduce((sum, { bytes }) => sum + bytes, 0);
    const grown = growth
      .filter(({ name }) => name === 'compute' || name === 'output')
      .reduce((sum, { maxBytes }) => sum + maxBytes, 0);
    expect({ launch: one.launch, start, used: start + grown }).toEqual({
      launch: one.launch,
      start: one.start,
      used: one.used,
    });
  });

  test('a draft that nothing uses needs room while the server starts, and the output says so', () => {
    const freed = CASES.find(({ draft, launch }) => draft === 'qwen3-0.6b.Q8_0' && launch['spec_type'] === undefined);
    const used = CASES.find(
      ({ draft, launch }) =>
        draft === 'qwen3-0.6b.Q8_0' && Object.keys(launch).join() === 'backend,ctx,spec_type' && launch['ctx'] === 8192,
    );
    const withoutDraft = estimateOf({ ...(freed as Case), draft: undefined } as unknown as Case);
    const draftAlone = estimateOf(used as Case).parts.filter(({ of }) => of === 'draft');
    const estimate = estimateOf(freed as Case);
    expect(totalBytes(estimate) - totalBytes(withoutDraft)).toBe(draftAlone.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(estimate.notes).toEqual([expect.stringContaining('--spec-type')]);
  });

  test('a smaller batch of its own makes a draft’s buffers those of a launch with that batch', () => {
    const files = { model: shapeOf('llama-3.1-8b.Q4_K_M'), draft: shapeOf('eagle3-llama-3.1-8b.F16') } as never;
    const launch = { accelerator: 'metal', llamaCpp: 'v0.5.0', ctxSize: 8192, specTypes: ['draft-eagle3'] } as const;
    const { parts } = estimateLaunch(files, { ...launch, draftUbatchSize: 256 });
    const compute = parts.filter(({ of, name }) => of === 'draft' && name === 'compute').map(({ bytes }) => bytes);
    // as llama.cpp v0.5.0 reserves them with --ubatch-size 256
    expect(compute).toEqual([271_569_920, 12_589_056]);
  });

  test("a prompt's last few tokens are computed on the host where some layers are, which may take more than was reserved", () => {
    const launch = { accelerator: 'metal', cpuArch: 'arm', llamaCpp: 'v0.5.0', ctxSize: 512, parallel: 1 } as const;
    const { parts, growth } = estimateLaunch(
      { model: shapeOf('mtp-glmdsa') as ModelShape },
      { ...launch, ubatchSize: 32, gpuLayers: 5, specTypes: ['draft-mtp'] },
    );
    const onHost = ({ of, name, device }: { of?: string; name: string; device?: string }): boolean =>
      of === 'model' && name === 'compute' && device === 'host';
    const reserved = parts.find(onHost)?.bytes ?? 0;
    expect(reserved).toBe(7_865_120);
    // llama.cpp v0.5.0 after a prompt of which 24 tokens were left for the last part; up to 31 may be
    expect(reserved + (growth.find(onHost)?.maxBytes ?? 0)).toBeGreaterThanOrEqual(10_830_432);
  });

  test('layers that predict ahead, of an architecture without a graph for them, stop the server', () => {
    const model = shapeOf('bailingmoe2-ling-flash-2.0-mtp.Q4_K_M') as ModelShape;
    const launch = { accelerator: 'metal', llamaCpp: 'v0.5.0', ctxSize: 4096 } as const;
    expect(() => estimateLaunch({ model }, { ...launch, specTypes: ['draft-mtp'] })).toThrow(
      expect.objectContaining({ code: 'DRAFT_MISMATCH', exitCode: 3 }),
    );
    expect(() => estimateLaunch({ model }, launch)).not.toThrow();
  });

  // llama.cpp v0.5.0 aborts on both: `GGML_ASSERT(ggml_can_mul_mat(a, b))`.
  test.each([undefined, ['draft-simple']])(
    'an assistant of another model stops the server, with --spec-type %s',
    (types) => {
      const files = { model: shapeOf('gemma-4-26b-a4b.Q4_K_M'), draft: shapeOf('mtp-gemma-4-12b.Q8_0') } as never;
      const launch = {
        accelerator: 'cpu',
        llamaCpp: 'v0.5.0',
        ctxSize: 2048,
        ...(types && { specTypes: types }),
      } as const;
      expect(() => estimateLaunch(files, launch as never)).toThrow(
        expect.objectContaining({ code: 'DRAFT_MISMATCH', exitCode: 3 }),
      );
    },
  );

  test('a micro-batch that the tokens of one draft do not fit into is refused, where states are kept to go back to', () => {
    const files = { model: shapeOf('qwen3.6-27b-mtp.Q4_K_M'), draft: shapeOf('dflash-qwen3.6-27b.F16') } as never;
    const launch = { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 1024, parallel: 1, draftMax: 8 } as const;
    const estimate = (ubatchSize: number) => () =>
      estimateLaunch(files, { ...launch, specTypes: ['draft-dflash'], ubatchSize });
    // `GGML_ASSERT(n_ubatch > n_keep_tail)`, which is one more than is drafted.
    expect(estimate(9)).toThrow(expect.objectContaining({ code: 'LAUNCH_UBATCH_BELOW_DRAFTS', exitCode: 2 }));
    expect(estimate(10)).not.toThrow();
  });

  test('a draft of fewer words than samplers keep of each choice stops the server', () => {
    const draft = shapeOf('dflash-qwen3.6-27b.F16') as ModelShape;
    const few = { ...draft, hparams: { ...draft.hparams, nVocab: 9 } };
    const files = { model: shapeOf('qwen3.6-27b-mtp.Q4_K_M') as ModelShape, draft: few };
    const launch = { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 2048, specTypes: ['draft-dflash'] } as const;
    expect(() => estimateLaunch(files, launch)).toThrow(expect.objectContaining({ code: 'DRAFT_MISMATCH' }));
    expect(() => estimateLaunch(files, { ...launch, backendSampling: false })).not.toThrow();
  });

  test('a micro-batch that the blocks of all slots do not fit into is refused', () => {
    const files = { model: shapeOf('qwen3.6-27b-mtp.Q4_K_M'), draft: shapeOf('dflash-qwen3.6-27b.F16') } as never;
    const launch = { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 4096, specTypes: ['draft-dflash'] } as const;
    const estimate = (parallel: number, ubatchSize: number, draftMax: number) => () =>
      estimateLaunch(files, { ...launch, parallel, ubatchSize, draftMax });
    const refused = expect.objectContaining({ code: 'LAUNCH_UBATCH_BELOW_DRAFTS', exitCode: 2 });
    // A block is what is drafted and the token before it.
    expect(estimate(4, 15, 3)).toThrow(refused);
    expect(estimate(4, 16, 3)).not.toThrow();
    expect(estimate(2, 31, 15)).toThrow(refused);
    expect(estimate(2, 32, 15)).not.toThrow();
    // By the option that says it.
    const own = { ...launch, llamaCpp: 'b12032', parallel: 4, draftMax: 3, draftUbatchSize: 15 };
    expect(estimate(4, 15, 3)).toThrow(/tokens, and --ubatch-size is 15; raise it to 16/);
    expect(() => estimateLaunch(files, own)).toThrow(/tokens, and --spec-draft-n-ubatch is 15; raise it to 16/);
  });

  test('a layer that a draft names twice is put out once', () => {
    const model = shapeOf('qwen3.6-27b-mtp.Q4_K_M') as ModelShape;
    const launch = { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 4096, specTypes: ['draft-dflash'] } as const;
    const putOut = (layers: readonly number[]): number => {
      const draft = draftWith('dflash-qwen3.6-27b.F16', { 'dflash.target_layers': layers });
      const { growth } = estimateLaunch({ model, draft }, launch);
      return growth.find(({ of, name }) => of === 'model' && name === 'output')?.maxBytes ?? 0;
    };
    // 2048 tokens of 5120 numbers of 4 bytes
    expect(putOut([2, 17, 33, 48, 62]) - putOut([2, 2, 33, 48, 62])).toBe(2048 * 5120 * 4);
  });

  test('a DFlash draft puts out as many rows a slot as its block has tokens, and no more', () => {
    const model = shapeOf('qwen3.6-27b-mtp.Q4_K_M') as ModelShape;
    const launch = {
      accelerator: 'cpu',
      llamaCpp: 'v0.5.0',
      ctxSize: 2048,
      parallel: 1,
      specTypes: ['draft-dflash'],
    } as const;
    const rows = (block: number): number => {
      const draft = draftWith('dflash-qwen3.6-27b.F16', { 'dflash.block_size': block });
      const { parts, growth } = estimateLaunch({ model, draft }, launch);
      const sum = (list: readonly { of?: string; name: string; bytes: number }[]): number =>
        list.filter(({ name }) => name === 'output').reduce((all, { bytes }) => all + bytes, 0);
      return sum(parts) + sum(growth.map((part) => ({ ...part, bytes: part.maxBytes })));
    };
    // The draft's: logits, and what three samplers keep of them, for 248320 words, 5120 numbers and one more; the model's: logits.
    const rowBytes = 4 * (4 * 248320 + 5120 + 1) + 4 * 248320;
    // Three drafted tokens and the one before them need a block of four.
    expect(rows(16) - rows(3)).toBe(rowBytes);
    expect(rows(16) - rows(1)).toBe(3 * rowBytes);
    expect(rows(16)).toBe(rows(4));
  });

  // `GGML_ASSERT((cparams.causal_attn || cparams.n_ubatch >= n_tokens_all) && …)` of `llama_context::decode`
  test('a draft whose tokens all see each other needs a micro-batch for whole prompts', () => {
    const model = shapeOf('llama-3.1-8b.Q4_K_M') as ModelShape;
    const draft = draftWith('eagle3-llama-3.1-8b.F16', { 'eagle3.attention.causal': false });
    const launch = { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 2048, specTypes: ['draft-eagle3'] } as const;
    const estimate = (ubatchSize: number) => () => estimateLaunch({ model, draft }, { ...launch, ubatchSize });
    expect(estimate(512)).toThrow(expect.objectContaining({ code: 'LAUNCH_UBATCH_BELOW_DRAFTS', exitCode: 2 }));
    expect(estimate(2048)).not.toThrow();
    // An assistant reads prompts from its model's cache.
    const gemma = shapeOf('gemma-4-12b.Q4_K_M') as ModelShape;
    const assistant = draftWith('mtp-gemma-4-12b.Q8_0', { 'gemma4-assistant.attention.causal': false });
    const types = { specTypes: ['draft-mtp'] } as const;
    expect(() => estimateLaunch({ model: gemma, draft: assistant }, { ...launch, ...types })).not.toThrow();
  });

  test('a DFlash draft with another activation is not loaded', () => {
    expect(() => draftWith('dflash-qwen3.6-27b.F16', { 'dflash.hidden_activation': 'relu' })).toThrow(
      /unsupported DFlash hidden activation/,
    );
    expect(() => draftWith('dflash-qwen3.6-27b.F16', { 'dflash.hidden_activation': 'gelu' })).not.toThrow();
  });

  test('an assistant rotates no more of a head than there is', () => {
    const keys = { 'gemma4-assistant.rope.dimension_count': 1024 };
    expect(() => draftWith('mtp-gemma-4-12b.Q8_0', keys)).toThrow(/n_dims <= ne0/);
  });

  test('an EAGLE3 draft of two blocks with factors of its rotation is not loaded, since they count twice', () => {
    const base = profileHeader(readProfile(join(here, 'profiles/eagle3-llama-3.1-8b.F16.json')));
    const second = base.tensors
      .filter(({ name }) => name.startsWith('blk.0.'))
      .map((tensor) => ({ ...tensor, name: tensor.name.replace('blk.0.', 'blk.1.') }));
    const metadata = new Map([...base.metadata, ['eagle3.block_count', 2] as const]);
    expect(() => describeShape({ ...base, metadata, tensors: [...base.tensors, ...second] })).toThrow(
      /too many tensors created/,
    );
  });

  test('an adapter for another architecture is refused, as llama.cpp refuses it', () => {
    const one = { ...(CASES.find(({ lora }) => lora) as Case), model: 'gemma-4-12b.Q4_K_M' };
    expect(() => estimateOf(one)).toThrow(
      expect.objectContaining({ code: 'LAUNCH_ADAPTER_MISMATCH' }) as unknown as Error,
    );
  });

  test('a type of speculative decoding that llama-server does not have is refused', () => {
    const one = CASES.find(({ launch }) => launch['spec_type'] === 'draft-mtp') as Case;
    const misspelt = { ...one, launch: { ...one.launch, spec_type: 'mtp' } };
    expect(() => estimateOf(misspelt)).toThrow(
      expect.objectContaining({ code: 'LAUNCH_SPEC_TYPE' }) as unknown as Error,
    );
  });
});
