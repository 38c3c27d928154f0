import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelSource } from '../../../src/lib/source/model-source.js';
import { type HeaderReading, readModelHeader } from '../../../src/lib/source/open.js';
import { type Reading, readMany } from '../../../src/lib/source/read-many.js';
import { smallModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';

function readings(sources: readonly ModelSource[]): Reading<HeaderReading>[] {
  return sources.map((source) => ({ source, read: (options) => readModelHeader(source, options) }));
}

describe('reading many headers', () => {
  let server: RangeServer;

  beforeEach(async () => {
    server = await RangeServer.start({ latencyMs: 20 });
  });

  afterEach(async () => {
    await server.close();
  });

  test('keeps their order, a few at once, and a failure to itself', async () => {
    const sources: ModelSource[] = Array.from({ length: 12 }, (_, index) => {
      if (index !== 5) server.serve(`/${index}.gguf`, smallModel(`tensor-${index}`));
      return { kind: 'http', url: server.url(`/${index}.gguf`) };
    });
    const settled: string[] = [];
    const onSettled = (doneCount: number, totalCount: number) => settled.push(`${doneCount} of ${totalCount}`);
    const results = await readMany(readings(sources), { onSettled });
    const found = results.map((result) =>
      'value' in result ? result.value.header.tensors[0]?.name : (result.error as { code?: string }).code,
    );
    const expected = Array.from({ length: 12 }, (_, index) => `tensor-${index}`);
    expected[5] = 'SOURCE_NOT_FOUND';
    expect(found).toEqual(expected);
    expect(settled).toEqual(Array.from({ length: 12 }, (_, index) => `${index + 1} of 12`));
    expect(server.mostActive).toBeLessThanOrEqual(4);
    expect(server.mostActive).toBeGreaterThan(1);
  });

  test('reads a source that is named twice once', async () => {
    server.serve('/m.gguf', smallModel());
    const source: ModelSource = { kind: 'http', url: server.url('/m.gguf') };
    const results = await readMany(readings([source, { ...source }]));
    expect(results).toHaveLength(2);
    expect(server.requests).toHaveLength(1);
  });

  test('says of storage inside the cluster that it cannot be read from here', async () => {
    const [result] = await readMany(readings([{ kind: 'unsupported', scheme: 'pvc', text: 'pvc://claim/m.gguf' }]));
    expect(result).toMatchObject({
      error: {
        code: 'SOURCE_UNSUPPORTED',
        exitCode: 3,
        message: expect.stringContaining('only inside the cluster') as unknown,
      },
    });
  });

  test('stops them all when it is told to', async () => {
    const controller = new AbortController();
    server.serve('/a.gguf', smallModel()).fail('/a.gguf', { kind: 'stall', afterBytes: -1 });
    const sources: ModelSource[] = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({
      kind: 'http',
      url: server.url(`/${name}.gguf`),
    }));
    setTimeout(() => controller.abort(), 100);
    const [first] = await readMany(readings(sources), { signal: controller.signal });
    expect(first).toMatchObject({ error: { code: 'SOURCE_CANCELLED' } });
  });

  test('has a few hosts at once, however many there are', async () => {
    let active = 0;
    let mostActive = 0;
    const read = async (): Promise<number> => {
      mostActive = Math.max(mostActive, ++active);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return active--;
    };
    const many = Array.from({ length: 300 }, (_, index): Reading<number> => ({
      source: { kind: 'http', url: `https://h${index}.example.org/m.gguf` },
      read,
    }));
    expect(await readMany(many)).toHaveLength(300);
    expect(mostActive).toBeGreaterThan(1);
    expect(mostActive).toBeLessThanOrEqual(16);
  });
});
