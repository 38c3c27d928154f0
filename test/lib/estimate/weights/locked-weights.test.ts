import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { totalBytes } from '../../../../src/lib/estimate/memory-estimate.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { parseServerArguments, splitWords } from '../../../../src/lib/runtime/server-arguments.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const shape = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));
const allBytes = [...shape.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
/** Between two tensors lie at most 31 bytes. */
const PADDING = 32 * shape.tensors.size;

function estimate(line: string) {
  const { options } = parseServerArguments(splitWords(line));
  const found = estimateMemory(shape, {
    accelerator: 'cpu',
    cpuArch: 'x86',
    ctxSize: 512,
    llamaCpp: 'v0.5.0',
    ...options,
  });
  const bytesOf = (wanted: string): number => found.parts.find(({ name }) => name === wanted)?.bytes ?? 0;
  return { total: totalBytes(found), bytesOf };
}

// A running b11549 with a Q4_K_M file has VmLck of the whole file beside its repacked copies.
test.each(['--load-mode mmap+mlock', '--mlock'])(
  '%s keeps the originals of repacked weights in memory, too',
  (line) => {
    const [free, locked] = [estimate(''), estimate(line)];
    expect(free.bytesOf('weights')).toBeLessThan(allBytes / 2);
    // What lies before the first weight that is used as it is mapped, or behind the last, is given back.
    expect(locked.bytesOf('weights')).toBeGreaterThan(0.99 * allBytes);
    expect(locked.bytesOf('weights')).toBeLessThan(allBytes + PADDING);
    expect(locked.total - free.total).toBe(locked.bytesOf('weights') - free.bytesOf('weights'));
    expect(locked.bytesOf('weights-copy')).toBe(free.bytesOf('weights-copy'));
  },
);

test('what is read into buffers of its own is not there twice for being locked', () => {
  expect(estimate('--load-mode mlock').total).toBe(estimate('--load-mode none').total);
});
