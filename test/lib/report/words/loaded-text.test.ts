import { expect, test } from '@jest/globals';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import { loadedTexts } from '../../../../src/lib/report/words/loaded-text.js';

const GIB = 2 ** 30;
const file = (source: string, more = {}) => ({ source, shape: { fileBytes: 2 * GIB }, ...more });
const texts = (loaded: object) =>
  loadedTexts(loaded as unknown as MemoryCheck).map(({ what, text }) => `${what} ${text}`);

test.each([
  ['named', ', named by --mmproj'],
  ['catalog', ", the catalogue's; --no-mmproj leaves it out"],
  ['beside', ', which llama-server -hf loads too; --no-mmproj leaves it out'],
])('a projector says why it is loaded: %s', (reason, why) => {
  expect(texts({ projector: file('hf:o/r/mmproj.gguf', { reason }) })).toEqual([
    `projector hf:o/r/mmproj.gguf (2GB${why})`,
  ]);
});

test.each([
  ['named', ''],
  ['catalog', ", the catalogue's; --spec-type none leaves it out"],
  ['repository', ', which llama-server takes from that repository'],
  ['beside', ', which llama-server -hf loads for this --spec-type'],
])('a draft says why it is loaded: %s', (reason, why) => {
  expect(texts({ named: { draft: file('hf:o/r/d.gguf', { reason }) } })).toEqual([`draft hf:o/r/d.gguf (2GB${why})`]);
});

test('the file that was chosen is named where its source does not name it; adapters come last', () => {
  const draft = file('hf:o/r', { reason: 'repository', file: 'sub/d.gguf' });
  const same = file('hf:o/r/d.gguf', { file: 'd.gguf' });
  const projector = file('./p.gguf', { reason: 'named' });
  expect(texts({ projector, named: { draft, adapters: [same, file('./b.gguf')] } })).toEqual([
    'projector ./p.gguf (2GB, named by --mmproj)',
    'draft hf:o/r, sub/d.gguf (2GB, which llama-server takes from that repository)',
    'adapter hf:o/r/d.gguf (2GB)',
    'adapter ./b.gguf (2GB)',
  ]);
});
