import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { Catalog, CatalogEntry } from '../../../../src/lib/catalog/catalog.js';
import { SourceError } from '../../../../src/lib/source/source-error.js';
import type { GgufHeader } from '../../../../src/lib/gguf/header.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { checkMemory, type CheckDependencies } from '../../../../src/lib/preflight/check-memory.js';
import type { CheckRequest } from '../../../../src/lib/preflight/plan-check.js';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const GIB = 2 ** 30;
const HEADERS: Readonly<Record<string, GgufHeader>> = {
  model: profileHeader(readProfile(join(PROFILES, 'gemma-3-4b.Q5_K_M.json'))),
  projector: profileHeader(readProfile(join(PROFILES, '../projectors/profiles/mmproj-gemma-3-4b.F16.json'))),
  'other-projector': profileHeader(readProfile(join(PROFILES, '../projectors/profiles/mmproj-qwen2-vl-7b.F16.json'))),
  draft: profileHeader(readProfile(join(PROFILES, '../drafts/profiles/qwen3-0.6b.Q8_0.json'))),
};
const SIBLING = 'hf:o/r/mmproj-projector.gguf';

function check(
  model: string,
  launch: CheckRequest['launch'] = {},
  more: Partial<CheckDependencies> = {},
  totalGib = 64,
): Promise<MemoryCheck> {
  const dependencies: CheckDependencies = {
    loadCatalog: async () => [],
    readHeader: async ({ source }) => {
      const header = HEADERS[/([a-z-]+)\.gguf$/.exec(source)?.[1]?.replace('mmproj-', '') ?? ''] ?? HEADERS.model;
      return { header: header as GgufHeader, origin: 'live', derived: false, notes: [] };
    },
    measureHost: async () => ({ source: 'given', totalBytes: totalGib * GIB, inUseBytes: 0, notes: [] }),
    findProjector: async () => ({ source: SIBLING, bytes: 1 }),
    ...more,
  };
  const request = {
    model,
    accelerator: 'metal',
    launch: { llamaCpp: 'v0.5.0', ...launch },
    extraArgs: [],
    machine: {},
    policy: { fraction: 0.7 },
  } as const;
  return checkMemory(request, dependencies);
}

/** Of the projector, in MiB at start-up: 811.79 of weights, 139.25 and 9.19 of buffers, as llama.cpp v0.5.0 allocates them. */
const PROJECTOR_MIB = 960.23;

function projectorMiB({ estimate }: MemoryCheck): number {
  const own = estimate?.parts.filter(({ of }) => of === 'projector') ?? [];
  return Math.round(own.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20 / 0.01) * 0.01;
}

const found = ({ projector, ...all }: MemoryCheck): unknown => ({
  source: projector?.source,
  reason: projector?.reason,
  counted: Math.abs(projectorMiB({ projector, ...all } as MemoryCheck) - PROJECTOR_MIB) < 0.5,
});
const NONE = { source: undefined, reason: undefined, counted: false };

const entry = (mmproj?: string): CatalogEntry =>
  ({
    id: 'seer',
    aliases: [],
    source: 'https://h/model.gguf',
    resources: {},
    ...(mmproj && { mmproj }),
  }) as unknown as CatalogEntry;

describe('the projector that counts', () => {
  test('is the one beside the model where llama-server -hf would load it', async () => {
    expect(found(await check('hf:o/r:Q4_K_M'))).toEqual({ source: SIBLING, reason: 'beside', counted: true });
  });

  test('is the one that was named, in place of that', async () => {
    const named = { source: './projector.gguf', reason: 'named', counted: true };
    expect(found(await check('hf:o/r', { mmproj: './projector.gguf' }))).toEqual(named);
    expect(found(await check('hf:o/r', { mmproj: './projector.gguf', mmprojAuto: false }))).toEqual(named);
  });

  test('is none with --no-mmproj, and none beside a file or an address, which llama-server loads alone', async () => {
    expect(found(await check('hf:o/r', { mmprojAuto: false }))).toEqual(NONE);
    expect(found(await check('./model.gguf'))).toEqual(NONE);
    expect(found(await check('https://h/model.gguf'))).toEqual(NONE);
  });

  test("is the catalogue's", async () => {
    const catalog: Catalog = [entry('https://h/projector.gguf')];
    const loadCatalog = async (): Promise<Catalog> => catalog;
    expect(found(await check('seer', {}, { loadCatalog }))).toEqual({
      source: 'https://h/projector.gguf',
      reason: 'catalog',
      counted: true,
    });
    expect(found(await check('seer', { mmprojAuto: false }, { loadCatalog }))).toEqual(NONE);
    expect(found(await check('seer', {}, { loadCatalog: async () => [entry()] }))).toEqual(NONE);
  });

  test('is said not to be known where the repository cannot be listed', async () => {
    const findProjector = (): never => {
      throw new SourceError('SOURCE_OFFLINE', 'offline');
    };
    const { verdict } = await check('hf:o/r', {}, { findProjector: async () => findProjector() });
    expect(verdict.warnings).toEqual([expect.stringContaining('--no-mmproj')]);
  });

  test('must be one', async () => {
    const { verdict } = await check('./model.gguf', { mmproj: './model.gguf' });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'PROJECTOR_EXPECTED' });
  });

  test('must be as wide as the model, in the words that llama-server stops with', async () => {
    const { verdict, projector } = await check('./model.gguf', { mmproj: './other-projector.gguf' });
    expect(verdict).toMatchObject({
      kind: 'unknown',
      code: 'PROJECTOR_MISMATCH',
      reason: expect.stringContaining('mismatch between text model (n_embd = 2560) and mmproj (n_embd = 3584)'),
    });
    expect(projector?.source).toBe('./other-projector.gguf');
  });
});

describe("the catalogue's draft", () => {
  const served: CatalogEntry = { ...entry(), draft: './draft.gguf', specType: 'draft-simple' };
  const loadCatalog = async (): Promise<Catalog> => [served];

  test('is loaded and used as its entry says, and left out by --spec-type none', async () => {
    const { named, launch } = await check('seer', {}, { loadCatalog });
    expect(named?.draft).toMatchObject({ source: './draft.gguf', reason: 'catalog' });
    expect(launch.specTypes).toEqual(['draft-simple']);
    const without = await check('seer', { specTypes: ['none'] }, { loadCatalog });
    expect(without.named?.draft).toBeUndefined();
  });
});

describe('a draft of another vocabulary', () => {
  const draft = './draft.gguf';

  test('is loaded and freed, in llama-server’s words, where the model has to read its tokens', async () => {
    const { verdict, estimate } = await check('./model.gguf', { draft, specTypes: ['draft-simple'] });
    expect(verdict.kind).toBe('fits');
    expect(estimate?.parts.filter(({ of }) => of === 'draft')).toEqual([]);
    // 604 MiB of weights, 28 layers of 8 heads of 128 numbers in f16, twice, for 131072 tokens, and buffers
    expect(Math.max(0, ...(estimate?.transient ?? []).map(({ bytes }) => bytes))).toBeGreaterThan(14.5 * GIB);
    expect(verdict.warnings).toEqual([
      expect.stringMatching(/the target and draft vocabs are not compatible.* knows 262144 tokens.*151936/),
    ]);
  });

  test.each([
    ['draft-mtp', 'no layers that predict ahead'],
    ['draft-dflash', 'it is no DFlash'],
  ])('or of another kind than %s stops llama-server', async (type, reason) => {
    const { verdict } = await check('./model.gguf', { draft, specTypes: [type] });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'DRAFT_MISMATCH', reason: expect.stringContaining(reason) });
  });

  test('is no EAGLE3 either, which llama-server only reports', async () => {
    const { verdict } = await check('./model.gguf', { draft, specTypes: ['draft-eagle3'] });
    expect(verdict.warnings).toEqual([expect.stringContaining('draft model is not eagle3')]);
  });

  test('is missed where none is named', async () => {
    const { verdict } = await check('./model.gguf', { specTypes: ['draft-simple'] });
    expect(verdict.warnings).toEqual([expect.stringContaining('draft-simple requires a draft context')]);
    const head = await check('./model.gguf', { specTypes: ['draft-mtp'] });
    expect(head.verdict).toMatchObject({ code: 'DRAFT_MISMATCH' });
  });

  test.each([undefined, ['none']])('is loaded and freed where no type uses it (%j)', async (specTypes) => {
    const { verdict } = await check('./model.gguf', { draft, ...(specTypes && { specTypes }) });
    expect(verdict.kind).toBe('fits');
  });
});

describe('a launch that does not fit with its projector', () => {
  /** The model takes 3.9 GiB at this context, the projector 0.9 more; the budget lies between. */
  const tight = { ctxSize: 8192 } as const;

  test('would without it, which is proposed first', async () => {
    const { shape, launch, room, verdict } = await check('hf:o/r', tight, {}, 6.2);
    expect(verdict.kind).toBe('does-not-fit');
    if (!shape || !room) throw new Error('nothing was found out');
    const [first] = advise({ shape, launch, room, variants: [] });
    expect(first?.changes).toEqual([{ kind: 'projector', isNamed: false }]);
  });

  test('is told last to leave out one that was named', async () => {
    const { shape, launch, room } = await check('hf:o/r', { ...tight, mmproj: './projector.gguf' }, {}, 6.2);
    if (!shape || !room) throw new Error('nothing was found out');
    const found = advise({ shape, launch, room, variants: [] });
    expect(found.length).toBeGreaterThan(1);
    expect(found.findIndex(({ changes }) => changes.some(({ kind }) => kind === 'projector'))).toBe(found.length - 1);
  });
});
