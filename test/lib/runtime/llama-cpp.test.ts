import { describe, expect, test } from '@jest/globals';
import { llamaCpp, versionSteps } from '../../../src/lib/runtime/llama-cpp.js';
import { parseServerArguments } from '../../../src/lib/runtime/server-arguments.js';

describe('a llama.cpp version', () => {
  test.each([
    ['v0.8.0', 'v0.8.0'],
    ['0.8.0', 'v0.8.0'],
    ['b12032', 'b12032'],
    ['11434', 'b11434'],
    ['b11434-6471e3c0', 'b11434'],
    ['jun-af6528e6d', 'b9453'],
  ])('%s is %s, measured', (written, name) => {
    expect(llamaCpp(written)).toMatchObject({ name, settled: true, notes: [] });
  });

  test('left out is the newest known', () => {
    expect(llamaCpp()).toBe(llamaCpp('v0.8.0'));
  });

  test('between two measured ones takes what takes more memory, and says so', () => {
    const { switches, settled, notes } = llamaCpp('b11650');
    expect(settled).toBe(false);
    expect(notes.join()).toContain('b11650 lies between builds that were measured');
    expect(switches).toMatchObject({
      mixedInput: true,
      rotationsInCache: false,
      ownRanges: false,
      headlessEmbeddings: false,
    });
  });

  test('between two measured ones with nothing changed in between is exact', () => {
    const { switches } = llamaCpp('v0.5.0');
    expect(llamaCpp('b11300')).toMatchObject({ settled: true, switches: { ...switches, cudaFusedGates: true } });
  });

  test.each([
    ['b9000', 'older'],
    ['v0.9.0', 'newer'],
    ['b13000', 'newer'],
  ])('%s is %s than any measured: allowed, with a note', (version, word) => {
    expect(llamaCpp(version).notes.join()).toContain(`is ${word} than any that was measured`);
  });

  test.each([
    ['b11434', 8080],
    ['v0.8.0', 9931],
  ])('%s listens at port %i', (version, port) => {
    expect(llamaCpp(version).defaultPort).toBe(port);
  });

  test.each([
    ['0.6.0-dev', 11223, 12031],
    ['v0.8.0-dev', 11551, 12032],
    ['0.9.0-dev', 12033, Infinity],
  ])('%s is some build after the release before', (version, from, to) => {
    expect(llamaCpp(version)).toMatchObject({
      name: expect.stringMatching(/^v[\d.]+-dev$/),
      build: { from, to },
      settled: false,
    });
  });

  test('that is none is refused with what to write', () => {
    expect(() => llamaCpp('latest')).toThrow(/is no llama.cpp version; write a release such as v0.8.0/);
  });
});

describe('the way from one version to another', () => {
  test('is made of single changes, the last of which is the other version', () => {
    const steps = versionSteps('v0.5.0', 'b11434');
    expect(steps.map(({ change }) => change)).toEqual([
      'mixedInput',
      'statesGatheredOnce',
      'cudaFusedGates',
      'metalMatrixAdd',
    ]);
    const [last] = steps.slice(-1);
    expect(llamaCpp(last?.version)).toMatchObject({ settled: false, switches: llamaCpp('b11434').switches });
    expect(llamaCpp(steps[0]?.version).switches).toEqual({ ...llamaCpp('v0.5.0').switches, mixedInput: true });
  });

  test('backwards undoes them', () => {
    const [last] = versionSteps('b11434', 'v0.5.0').slice(-1);
    expect(last?.what).toMatch(/^no longer: /);
    expect(llamaCpp(last?.version).switches).toEqual(llamaCpp('v0.5.0').switches);
  });

  test('knows no other changes', () => {
    expect(() => llamaCpp('v0.5.0+nothing')).toThrow(/is no llama.cpp version/);
  });
});

describe('options that a version does not have', () => {
  test('--no-mmap is gone from v0.5.0 on', () => {
    expect(() => parseServerArguments(['--no-mmap'], llamaCpp('v0.5.0'))).toThrow(
      /has no --no-mmap: write --load-mode none instead/,
    );
    expect(parseServerArguments(['--no-mmap'], llamaCpp('b10472')).options).toEqual({ mmap: false });
  });

  test.each([
    ['--mlock', 'b10852', 'b10985'],
    ['--n-cpu-ffn 2', 'b10852', 'b10605'],
    ['--kv-unified-per-slot 4096', 'b10852', 'b10605'],
    ['--mmproj-device none', 'b10549', 'b10524'],
    ['--spec-draft-n-ubatch 64', 'b12032', 'b11434'],
    ['--models-memory-margin 1024', 'v0.8.0', 'v0.5.0'],
    ['--spec-draft-sampling on', 'b11434', 'v0.5.0'],
  ])('%s is known to %s and refused for %s', (line, knows, lacks) => {
    const words = line.split(' ');
    expect(() => parseServerArguments(words, llamaCpp(knows))).not.toThrow();
    expect(() => parseServerArguments(words, llamaCpp(lacks))).toThrow(`${llamaCpp(lacks).name} has no ${words[0]}`);
  });

  test('--load-mode was not there in June', () => {
    expect(() => parseServerArguments(['--load-mode', 'none'], llamaCpp('b9453'))).toThrow(/has no --load-mode/);
    expect(parseServerArguments(['--load-mode', 'none'], llamaCpp('v0.8.0')).options).toEqual({ mmap: false });
  });
});
