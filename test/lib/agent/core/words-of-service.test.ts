import { expect, test } from '@jest/globals';
import { fitCondition, isTransition, timed } from '../../../../src/lib/agent/core/memory-fit.js';
import {
  leftVariables,
  reservedWord,
  serverWords,
  type Placement,
} from '../../../../src/lib/agent/core/words-of-service.js';
import { attemptOf, draftModelKey, fingerprintOf } from '../../../../src/lib/agent/core/wanted.js';
import { readServerCommand } from '../../../../src/lib/runtime/server-command.js';
import { aModel, aService } from '../objects.js';

const place: Placement = {
  modelPath: '/m/a.gguf',
  alias: 'tiny',
  host: '127.0.0.1',
  port: 9000,
  accelerator: 'metal',
  known: new Set(['--load-mode', '--verbosity']),
};
const gpu = (layers: number) => aModel({ gpu: { enabled: true, count: 1, layers } }).spec;
const words = (spec = {}, model = aModel().spec, at: Partial<Placement> = {}) =>
  serverWords(aService(spec).spec, model, { ...place, ...at }).join(' ');

test('context and layers are always named, one slot is one, and -1 layers are all', () => {
  expect(words()).toContain('--n-gpu-layers 999 --ctx-size 2048');
  expect(words({}, gpu(-1))).toContain('--n-gpu-layers 999 ');
  expect(words({}, gpu(0))).toContain('--n-gpu-layers 0 ');
  expect(words({ parallelSlots: 1, contextSize: 512 })).toMatch(/--ctx-size 512 .*--parallel 1 /);
  expect(words({ flashAttention: false })).toContain('--flash-attn off');
});

test('only what this llama-server’s help lists is spelled', () => {
  expect(words()).toContain('--load-mode mmap+mlock');
  expect(words({}, aModel().spec, { known: new Set(['--mlock']) })).toMatch(/ --mlock (?!.*--verbosity)/);
  expect(words({}, aModel().spec, { known: new Set() })).not.toContain('mlock');
});

test('is read back by the check as what was asked for, extra arguments last', () => {
  const spec = { contextSize: 4096, cacheTypeK: 'q8_0', mode: 'embedding' as const, extraArgs: ['-c', '1024'] };
  const read = readServerCommand(serverWords(aService(spec).spec, gpu(7), place), {}, '/');
  expect(read).toMatchObject({
    kind: 'loads',
    source: '/m/a.gguf',
    patch: { ctxSize: 1024, gpuLayers: 7, cacheTypeK: 'q8_0', mode: 'embedding', cacheRamMiB: 0, mmap: true },
    address: { host: '127.0.0.1', port: 9000 },
  });
});

test('a type of drafting with a name of Object.prototype is passed on as it is, for llama-server to refuse', () => {
  expect(words({ speculativeDecoding: { type: 'constructor' } })).toContain('--spec-type constructor');
});

test('tokens are drafted as the service says, under the operator’s short names too, and the check reads the draft back', () => {
  const speculativeDecoding = { type: 'draft', draftModelRef: 'small', nDraftMax: 8, pMin: 0.5 };
  const spec = { speculativeDecoding };
  expect(words(spec, aModel().spec, { draftPath: '/m/d.gguf' })).toContain(
    '--spec-type draft-simple --spec-draft-model /m/d.gguf --spec-draft-n-max 8 --spec-draft-p-min 0.5',
  );
  const line = serverWords(aService(spec).spec, gpu(7), { ...place, draftPath: '/m/d.gguf' });
  expect(readServerCommand(line, {}, '/')).toMatchObject({ patch: { draft: '/m/d.gguf', draftMax: 8 }, remarks: [] });
  expect(words({ speculativeDecoding: { type: 'mtp' } })).toContain('--spec-type draft-mtp');
  for (const type of ['none', 'disabled']) expect(words({ speculativeDecoding: { type } })).not.toContain('--spec');
  const fingerprints = [{}, spec, { speculativeDecoding: { ...speculativeDecoding, draftModelRef: 'other' } }].map(
    (one) => fingerprintOf({ service: aService(one), model: aModel() }),
  );
  expect(new Set(fingerprints).size).toBe(3);
});

test('another process is needed when the Model of the draft changes, not when it cannot be read', () => {
  const service = aService({ speculativeDecoding: { type: 'draft', draftModelRef: 'small' } });
  const draft = aModel();
  const wanted = { service, model: aModel(), draft };
  const changed = { ...draft, spec: { ...draft.spec, source: '/models/other.gguf' } };
  const before = fingerprintOf(wanted);
  expect(fingerprintOf({ ...wanted, draft: changed }, before)).not.toBe(before);
  expect(fingerprintOf({ ...wanted, draft: undefined }, before)).toBe(before);
  expect(fingerprintOf({ ...wanted, draft: undefined, model: changed }, before)).not.toBe(before);
  expect([draftModelKey(service), draftModelKey(aService())]).toEqual(['default/small', undefined]);
});

test('a draft that comes into being, or becomes another, is another attempt', () => {
  const service = aService({ speculativeDecoding: { type: 'draft', draftModelRef: 'small' } });
  const drafts = [undefined, aModel(), { ...aModel(), spec: { ...aModel().spec, sha256: 'ab' } }];
  expect(new Set(drafts.map((draft) => attemptOf({ service, model: aModel(), draft }))).size).toBe(3);
});

test('listener, identity and model are the agent’s to say', () => {
  expect(reservedWord(['-c', '512', '--port=1'])).toBe('--port=1');
  expect(reservedWord(['-hf', 'a/b'])).toBe('-hf');
  expect(reservedWord(['--cache-ram', '0'])).toBeUndefined();
});

test('the condition keeps the time of its last transition while its status stays', () => {
  const now = new Date('2026-11-25T12:00:00.500Z');
  const report = { reason: 'Fits', message: 'm', generation: 3 } as const;
  const first = timed(fitCondition(report), undefined, new Date('2026-11-25T11:00:00Z'));
  expect(timed(fitCondition({ ...report, reason: 'Tight' }), first, now)).toEqual({
    type: 'MemoryFit',
    status: 'True',
    reason: 'Tight',
    message: 'm',
    lastTransitionTime: '2026-11-25T11:00:00Z',
    observedGeneration: 3,
  });
  const refused = { ...report, reason: 'InsufficientMemory' } as const;
  expect(timed(fitCondition(refused), first, now)).toMatchObject({
    status: 'False',
    lastTransitionTime: '2026-11-25T12:00:00Z',
  });
  expect([isTransition(undefined, report), isTransition(undefined, refused), isTransition(first, refused)]).toEqual([
    false,
    true,
    true,
  ]);
});

test('every field of a service is spelled as llama-server spells it', () => {
  const spec = {
    contextSize: 8192,
    parallelSlots: 2,
    flashAttention: true,
    ropeScaling: { type: 'yarn', factor: 4, originalContext: 32768 },
    cacheTypeK: 'q8_0',
    cacheTypeCustomK: 'iq4_nl',
    cacheTypeV: 'q4_0',
    moeCPUOffload: true,
    moeCPULayers: 3,
    noKvOffload: true,
    tensorOverrides: ['exps=CPU'],
    metadataOverrides: ['a.b=int:1'],
    batchSize: 1024,
    uBatchSize: 256,
    noWarmup: true,
    reasoningBudget: 0,
    reasoningBudgetMessage: 'enough',
    jinja: true,
    extraArgs: ['-c', '512'],
  };
  expect(words(spec, gpu(20), { projectorPath: '/m/p.gguf', threads: 8, accelerator: 'cuda' })).toBe(
    [
      '--model /m/a.gguf --mmproj /m/p.gguf --host 127.0.0.1 --port 9000 --n-gpu-layers 20 --ctx-size 8192 --alias tiny --metrics',
      '--rope-scaling yarn --rope-scale 4 --yarn-orig-ctx 32768 --parallel 2 --flash-attn on',
      '--cache-type-k iq4_nl --cache-type-v q4_0 --cpu-moe --n-cpu-moe 3 --no-kv-offload',
      '--override-tensor exps=CPU --override-kv a.b=int:1 --threads 8 --batch-size 1024 --ubatch-size 256 --no-warmup',
      '--reasoning-budget 0 --reasoning-budget-message enough --jinja --verbosity 4 -c 512',
    ].join(' '),
  );
});

test('without any, batches are as LLMKube’s own agent has them, and flash attention and locked memory are Metal’s', () => {
  const common = '--host 127.0.0.1 --port 9000 --n-gpu-layers 999 --ctx-size 2048 --alias tiny --metrics';
  const end = '--batch-size 2048 --verbosity 4';
  expect(words()).toBe(`--model /m/a.gguf ${common} --flash-attn on --load-mode mmap+mlock ${end}`);
  expect(words({}, undefined, { accelerator: 'cuda' })).toBe(`--model /m/a.gguf ${common} ${end}`);
  expect(words({}, gpu(7), { accelerator: 'cpu' })).toContain('--n-gpu-layers 0 ');
});

test.each<['embedding' | 'rerank', string]>([
  ['embedding', '--embedding --pooling last --cache-ram 0'],
  ['rerank', '--reranking --embedding --pooling rank --cache-ram 0'],
])('what is served as %s is %s', (mode, expected) => {
  expect(words({ mode, extraArgs: ['--metrics'] })).toMatch(new RegExp(` ${expected} --metrics$`));
  expect(words({ mode: 'chat', extraArgs: ['--metrics'] })).toMatch(/ --verbosity 4 --metrics$/);
});

test.each(
  (
    '--host --port --reuse-port --api-prefix --api-key --api-key-file --ssl-key-file --ssl-cert-file -m --model -mu --model-url -dr ' +
    '--docker-repo -hf -hfr --hf-repo -hff --hf-file -a --alias -hft --hf-token --models-dir --models-preset --log-file --log-disable --path'
  ).split(' '),
)('%s is not for extra arguments', (name) => {
  expect(reservedWord(['--jinja', name, 'x'])).toBe(name);
  expect(reservedWord([`${name}=x`])).toBe(`${name}=x`);
});

test('variables are passed on where they are options that the check counts, or the key; those that name files are not', () => {
  const env = ['LLAMA_ARG_CTX_SIZE', 'LLAMA_ARG_NO_KV_OFFLOAD', 'LLAMA_API_KEY'].map((name) => ({ name, value: '1' }));
  const left = [
    'LLAMA_ARG_MMPROJ',
    'LLAMA_ARG_MMPROJ_URL',
    'LLAMA_ARG_SPEC_DRAFT_MODEL',
    'LLAMA_ARG_SPEC_DRAFT_HF_REPO',
    'HOME',
  ];
  expect(leftVariables({ env: [...env, ...left.map((name) => ({ name, value: '1' }))] })).toEqual(left);
});
