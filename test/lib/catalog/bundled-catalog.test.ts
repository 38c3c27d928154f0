import { describe, expect, test } from '@jest/globals';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEntry, requireEntry } from '../../../src/lib/catalog/catalog.js';
import { loadCatalog } from '../../../src/lib/catalog/load-catalog.js';
import { estimateLaunch } from '../../../src/lib/estimate/estimate-launch.js';
import { totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { describeShape } from '../../../src/lib/model/describe-shape.js';
import type { ProjectorShape } from '../../../src/lib/model/model-shape.js';
import { PROJECTOR, readBundledHeader } from '../../../src/lib/source/bundled-header.js';
import { parseModelSource } from '../../../src/lib/source/model-source.js';

const LLMKUBE_IDS = [
  ...['llama-3.2-3b', 'phi-4-mini', 'gemma-3-4b', 'llama-3.1-8b', 'mistral-7b', 'qwen-2.5-coder-7b'],
  ...['deepseek-r1-7b', 'gemma-3-12b', 'deepseek-r1-14b', 'deepseek-r1-32b', 'mistral-small-24b', 'qwen-2.5-32b'],
  ...['qwen-2.5-coder-32b', 'qwen-3-32b', 'qwen-2.5-14b', 'mixtral-8x7b', 'llama-3.3-70b'],
];

describe('the bundled catalogue', () => {
  test('has every model that LLMKube users deploy by name, and more', async () => {
    const ids = (await loadCatalog()).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(LLMKUBE_IDS));
    expect(ids.length).toBeGreaterThanOrEqual(LLMKUBE_IDS.length + 10);
  });

  test('knows qwen-coder-32b', async () => {
    expect(findEntry(await loadCatalog(), 'Qwen-Coder-32B')?.id).toBe('qwen-2.5-coder-32b');
  });

  test('names sources that can be read, each with its quantization in the file name', async () => {
    for (const { source, quantization } of await loadCatalog()) {
      expect(parseModelSource(source)).toMatchObject({ kind: 'hf', file: expect.stringMatching(/\.gguf$/) });
      expect(source.toUpperCase()).toContain(quantization);
    }
  });

  test('comes with the headers of LLMKube’s own models', async () => {
    const catalog = await loadCatalog();
    for (const id of LLMKUBE_IDS) {
      const { quantization = '' } = requireEntry(catalog, id);
      expect(readBundledHeader(id, quantization)).toMatchObject({ derived: true });
    }
  });

  test('says truly how much memory each model takes, from 8192 tokens to its own context', async () => {
    for (const { id, quantization = '', contextSize = 0, mode, mmproj, vramEstimate } of await loadCatalog()) {
      const bundled = readBundledHeader(id, quantization);
      if (bundled === undefined) continue;
      const model = describeModel(bundled.header);
      const beside = mmproj === undefined ? undefined : readBundledHeader(id, PROJECTOR);
      const projector = beside && (describeShape(beside.header) as ProjectorShape);
      const gigabytes = (ctxSize: number): number =>
        totalBytes(estimateLaunch({ model, projector }, { accelerator: 'metal', ctxSize, mode })) / 2 ** 30;
      const [low = Number.NaN, high = Number.NaN] = (vramEstimate ?? '').match(/[\d.]+/g)?.map(Number) ?? [];
      const short = gigabytes(Math.min(8192, contextSize));
      expect({ id, within: low <= short && short < low + 1 }).toEqual({ id, within: true });
      const long = gigabytes(contextSize);
      expect({ id, within: high - 1 < long && long <= high }).toEqual({ id, within: true });
    }
  });

  test('gives the nearest names for one that it does not know', async () => {
    const catalog = await loadCatalog();
    const asking = (): unknown => requireEntry(catalog, 'qwen-coder-33b');
    expect(asking).toThrow('there is no model "qwen-coder-33b"');
    expect(asking).toThrow(
      expect.objectContaining({
        options: { suggestions: expect.arrayContaining([expect.stringContaining('qwen-coder-32b')]) },
      }),
    );
  });
});

describe('a user’s own catalogue', () => {
  async function file(text: string): Promise<string> {
    const path = join(await mkdtemp(join(tmpdir(), 'llmkube-')), 'mine.yaml');
    await writeFile(path, text);
    return path;
  }

  test('adds entries, replaces those of the same id and takes over aliases', async () => {
    const path = await file(`models:
  mine:
    source: /models/mine.gguf
    aliases: [qwen-coder-32b]
  phi-4:
    source: /models/phi.gguf
`);
    const catalog = await loadCatalog(path);
    expect(findEntry(catalog, 'qwen-coder-32b')?.id).toBe('mine');
    expect(findEntry(catalog, 'qwen-2.5-coder-32b')?.source).toContain('huggingface.co');
    expect(findEntry(catalog, 'phi-4')).toMatchObject({ source: '/models/phi.gguf' });
    expect(findEntry(catalog, 'phi-4')?.bundled).toBeUndefined();
    expect(findEntry(catalog, 'llama-3.1-8b')?.bundled).toBe(true);
  });

  test('that is not there is named', async () => {
    await expect(loadCatalog('/nowhere/mine.yaml')).rejects.toMatchObject({ code: 'CATALOG_UNREADABLE', exitCode: 2 });
  });
});
