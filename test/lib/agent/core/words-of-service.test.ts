import { expect, test } from '@jest/globals';
import { fitCondition, isTransition, timed } from '../../../../src/lib/agent/core/memory-fit.js';
import { reservedWord, serverWords, type Placement } from '../../../../src/lib/agent/core/words-of-service.js';
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
