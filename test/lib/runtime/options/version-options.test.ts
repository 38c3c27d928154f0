import { describe, expect, test } from '@jest/globals';
import { llamaCpp } from '../../../../src/lib/runtime/llama-cpp.js';
import { refuseForeignOption } from '../../../../src/lib/runtime/options/version-options.js';

const asked = (name: string, build: number) => () => refuseForeignOption(name, llamaCpp(`b${build}`));

/** By the `common/arg.cpp` of the builds that were read: the last that has an option, and the first. */
describe('an option that not every llama-server has is refused for the others', () => {
  test.each([
    [10852, '--no-mmap', '--load-mode none'],
    [10852, '--mmap', '--load-mode mmap'],
    [10852, '--mlock', '--load-mode mmap+mlock'],
    [10852, '-dio --direct-io', '--load-mode dio'],
    [10852, '-ndio --no-direct-io', '--load-mode auto'],
  ])('after b%i: %s, in whose place is %s', (build, names, instead) => {
    for (const name of names.split(' ')) {
      expect(asked(name, build)).not.toThrow();
      expect(asked(name, build + 1)).toThrow(`b${build + 1} has no ${name}: write ${instead} instead`);
    }
  });

  test.each([
    [10472, '-lm --load-mode'],
    [
      10472,
      '--mtmd-batch-max-tokens --log-prompts-dir --reasoning-effort --reasoning-preserve --no-reasoning-preserve',
    ],
    [10472, '--mcp-servers-config --mcp-servers-json -ag --agent -no-ag --no-agent'],
    [10472, '--cors-origins --cors-methods --cors-headers --cors-credentials --no-cors-credentials'],
    [10549, '-mmdev --mmproj-device'],
    [10852, '-ncffn --n-cpu-ffn --kv-unified-per-slot'],
    [10852, '-lzm --lazy-mode --log-jsonl --no-log-jsonl --spec-synth-len --spec-synth-rates'],
    [11368, '--spec-draft-sampling'],
    [12032, '--moe-cache-mib --spec-draft-n-ubatch --models-memory-margin --connect --connect-code'],
  ])('before b%i: %s', (build, names) => {
    for (const name of names.split(' ')) {
      expect(asked(name, build)).not.toThrow();
      expect(asked(name, build - 1)).toThrow(`b${build - 1} has no ${name}: `);
    }
  });

  test('of a version that may be either, nothing is refused', () => {
    // Some build from 11551 to 12032.
    expect(() => refuseForeignOption('--moe-cache-mib', llamaCpp('v0.8.0-dev'))).not.toThrow();
    expect(() => refuseForeignOption('--moe-cache-mib', llamaCpp('v0.5.0'))).toThrow(
      'has no --moe-cache-mib: leave it out',
    );
  });
});
