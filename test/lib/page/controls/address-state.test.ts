import { describe, expect, test } from '@jest/globals';
import { fromFragment, toFragment } from '../../../../src/lib/page/controls/address-state.js';
import type { Controls } from '../../../../src/lib/page/controls/controls.js';

const GIB = 2 ** 30;
const CHECKED: Controls = {
  ...{ ctxSize: 32768, slots: null, kvUnified: false, cacheTypeK: 'f16', cacheTypeV: 'f16', ubatchSize: 512 },
  ...{ quantization: null, gpuLayers: null, projector: true, draft: true, draftMax: null },
  ...{ totalBytes: 32 * GIB, inUseBytes: 3 * GIB, fraction: null, budgetBytes: null, gpuBytes: null },
};

const read = (text: string): Controls => fromFragment(text, CHECKED, ['Q8_0', 'Q3_K_M']);

describe('what the address of a page holds', () => {
  test('is nothing while the page stands as it was checked', () => {
    expect(toFragment(CHECKED, CHECKED)).toBe('');
    expect(read('')).toEqual(CHECKED);
  });

  test('is every change, and gives the same controls back', () => {
    const changed: Controls = {
      ...CHECKED,
      ...{ ctxSize: 8192, slots: 2, kvUnified: true, cacheTypeK: 'q8_0', quantization: 'Q3_K_M', gpuLayers: 20 },
      ...{ projector: false, draft: false, draftMax: 8, totalBytes: 36 * GIB, fraction: 0.8 },
    };
    const fragment = toFragment(changed, CHECKED);
    expect(fragment).toBe(
      'ctx-size=8192&parallel=2&kv-unified=true&cache-type-k=q8_0&quantization=Q3_K_M&gpu-layers=20&projector=false' +
        '&draft=false&spec-draft-n-max=8&system-memory=38654705664&memory-fraction=0.8',
    );
    expect(read(`#${fragment}`)).toEqual(changed);
  });

  test('goes back to llama-server’s own choice from one that was made', () => {
    const checked = { ...CHECKED, slots: 4 };
    expect(toFragment({ ...checked, slots: null }, checked)).toBe('parallel=auto');
    expect(fromFragment('#parallel=auto', checked, []).slots).toBeNull();
  });

  test.each([
    'ctx-size=-1',
    'ctx-size=1e99',
    'ctx-size=auto',
    'parallel=0',
    'cache-type-k=q9_9',
    'quantization=Q5_K_M',
    'quantization=auto',
    'projector=maybe',
    'memory-fraction=7',
    'memory-budget=5',
    'gpu-memory=5',
    'constructor=1',
  ])('changes nothing by %s, which the page does not offer', (text) => {
    expect(read(text)).toEqual(CHECKED);
  });
});
