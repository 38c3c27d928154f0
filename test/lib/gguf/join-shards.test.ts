import { describe, expect, test } from '@jest/globals';
import { GgufHeaderParser } from '../../../src/lib/gguf/header-parser.js';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';
import { joinShards, splitCount } from '../../../src/lib/gguf/join-shards.js';
import { parseShardName, shardPaths } from '../../../src/lib/gguf/names/shard-name.js';
import { buildGgufFile, type Entry } from '../../support/models/gguf-writer.js';

/** One part as `llama-gguf-split` writes it: metadata in the first, `split.*` in all. */
function part(no: number, count: number, tensorNames: readonly string[], total = 3): GgufHeader {
  const metadata: Entry[] = [
    ...(no === 0 ? ([['general.architecture', 'llama', 'str']] as const) : []),
    ['split.no', no, 'u16'],
    ['split.count', count, 'u16'],
    ['split.tensors.count', total, 'i32'],
  ];
  const bytes = buildGgufFile({ metadata, tensors: tensorNames.map((name) => ({ name, dims: [8], type: 'F32' })) });
  const parser = new GgufHeaderParser('part.gguf', bytes.length);
  parser.push(bytes);
  return parser.end();
}

describe('names of parts', () => {
  test('say which part they are', () => {
    expect(parseShardName('dir/model-Q4_K_M-00002-of-00003.gguf')).toEqual({
      prefix: 'dir/model-Q4_K_M',
      number: 2,
      count: 3,
    });
    expect(shardPaths({ prefix: 'm', count: 2 })).toEqual(['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf']);
  });

  test.each(['model.gguf', 'm-00000-of-00003.gguf', 'm-00004-of-00003.gguf', 'm-00001-of-99999.gguf', 'm-1-of-3.gguf'])(
    '%s is no part',
    (path) => expect(parseShardName(path)).toBeUndefined(),
  );
});

describe('joining parts', () => {
  test('takes metadata from the first and tensors from all, each with its file', () => {
    const parts = [part(0, 2, ['a']), part(1, 2, ['b', 'c'])];
    const joined = joinShards(parts, 'm');
    expect(joined.metadata.get('general.architecture')).toBe('llama');
    expect(joined.tensors.map(({ name, file }) => [name, file])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 1],
    ]);
    expect(joined.files).toEqual(parts.flatMap(({ files }) => files));
    expect(splitCount(joined)).toBe(2);
  });

  const wrong: readonly (readonly [string, GgufHeader[], string])[] = [
    [
      'a part of another split',
      [part(0, 2, ['a']), part(1, 3, ['b', 'c'])],
      'part 2 belongs to a split of 3 files, not of 2',
    ],
    [
      "parts in each other's place",
      [part(1, 2, ['a']), part(0, 2, ['b', 'c'])],
      'named part 1 is part 2 by its own metadata',
    ],
    [
      'the first part a second time',
      [part(0, 2, ['a']), part(0, 2, ['b', 'c'])],
      'named part 2 is part 1 by its own metadata',
    ],
    ['tensors that are missing', [part(0, 2, ['a']), part(1, 2, ['b'])], 'have 2 tensors, but part 1 says there are 3'],
    ['a tensor in two parts', [part(0, 2, ['a']), part(1, 2, ['a', 'b'])], 'the tensor a is in more than one part'],
    ['no parts', [], 'it has no parts'],
  ];

  test.each(wrong)('refuses %s', (_, parts, message) => {
    expect(() => joinShards(parts, 'm')).toThrow(message);
  });

  test('refuses a part that does not say that it is one', () => {
    const bytes = buildGgufFile();
    const parser = new GgufHeaderParser('whole.gguf', bytes.length);
    parser.push(bytes);
    expect(() => joinShards([part(0, 2, ['a']), parser.end()], 'm')).toThrow('is not a part by its own metadata');
  });
});
