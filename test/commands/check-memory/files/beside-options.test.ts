import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../../../oracle/cases.js';
import { buildGguf, type GgufSpec } from '../../../support/models/gguf-writer.js';
import { profileSpec, readProfile, writeProfile } from '../../../support/models/profile.js';
import { RangeServer } from '../../../support/servers/range-server.js';
import { askCli } from '../../../support/cli-session.js';
import { temporaryFolder, writeSparseFile } from '../../../support/sparse-file.js';

const MAC = ['--accelerator', 'metal', '--system-memory', '96Gi', '--in-use', '3Gi', '-c', '8192', '--json'];

const PROFILES_OF = {
  'gemma.gguf': 'gemma-3-4b.Q5_K_M.json',
  'gemma-mmproj.gguf': '../projectors/profiles/mmproj-gemma-3-4b.F16.json',
  'eagle3.gguf': '../drafts/profiles/eagle3-llama-3.1-8b.F16.json',
  'llama.gguf': 'llama-3.1-8b.Q4_K_M.json',
  'small-llama.gguf': '../drafts/profiles/llama-3.2-1b.Q8_0.json',
  'lora.gguf': '../drafts/profiles/lora-llama-3.1-8b-r16-all.F16.json',
  'qwen3.gguf': 'qwen-3-32b.Q4_K_M.json',
  'qwen3-draft.gguf': '../drafts/profiles/qwen3-0.6b.Q8_0.json',
  'qwen3.5.gguf': '../drafts/profiles/qwen3.5-4b-mtp.Q8_0.json',
  'qwen3.5-mmproj.gguf': '../projectors/profiles/mmproj-qwen3.5-4b.BF16.json',
} as const;

/** A direction for each layer of Llama 3.1 8B but the first. */
const CONTROL_VECTOR: GgufSpec = {
  metadata: [
    ['general.architecture', 'controlvector', 'str'],
    ['controlvector.model_hint', 'llama', 'str'],
    ['controlvector.layer_count', 31, 'u32'],
  ],
  tensors: Array.from({ length: 31 }, (_, i) => ({ name: `direction.${i + 1}`, dims: [4096], type: 'F32' })),
};

const DRAFT = '-md qwen3-draft.gguf --spec-type draft-simple';
const VISION = '--mmproj qwen3.5-mmproj.gguf';

interface Answer {
  readonly estimate: {
    readonly parts: readonly { readonly name: string; readonly bytes: number }[];
    readonly growth: readonly { readonly name: string; readonly maxBytes: number }[];
  };
}

/** Bytes at start-up, and after use, without the runtime's own. */
function bytesOf({ estimate }: Answer): readonly [number, number] {
  const start = estimate.parts
    .filter(({ name }) => name !== 'runtime-overhead')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const grown = estimate.growth
    .filter(({ name }) => name === 'compute' || name === 'output')
    .reduce((sum, { maxBytes }) => sum + maxBytes, 0);
  return [start, start + grown];
}

describe('an option for what is loaded beside the model', () => {
  let folder: { path: string; remove: () => Promise<void> };
  let server: RangeServer;

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await RangeServer.start();
    const specs: (readonly [string, GgufSpec])[] = Object.entries(PROFILES_OF).map(([name, path]) => [
      name,
      profileSpec(readProfile(join(PROFILES, path))),
    ]);
    for (const [name, spec] of [...specs, ['vector.gguf', CONTROL_VECTOR] as const]) {
      const { header, dataBytes } = buildGguf(spec);
      await writeSparseFile(join(folder.path, name), header, header.length + dataBytes);
      server.serve(`/${name}`, { start: header, size: header.length + dataBytes });
    }
  });

  afterAll(async () => {
    await server.close();
    await folder.remove();
  });

  /** With every file at its place. */
  async function check(model: string, words: string): Promise<{ stdout: string; exitCode: number | null }> {
    const placed = words
      .replace(/URL\/(\S+)/, `${server.origin}/$1`)
      .replace(/(^|[ ,])([a-z0-9.-]+\.gguf)/g, `$1${folder.path}/$2`);
    return askCli(['check-memory', join(folder.path, model), ...MAC, `--extra-args=${placed}`]);
  }

  /** What llama.cpp v0.5.0 allocates with each, measured by running its own loading and allocation. */
  test.each([
    ['--mmproj-url URL/gemma-mmproj.gguf', 'gemma.gguf', 4_659_359_232, 4_659_359_232],
    ['--mmproj gemma-mmproj.gguf --no-mmproj-offload', 'gemma.gguf', 4_630_851_072, 4_630_851_072],
    [`${VISION} --image-max-tokens 512`, 'qwen3.5.gguf', 6_064_157_312, 6_064_157_312],
    [`${DRAFT} -ngld 4`, 'qwen3.gguf', 24_224_640_192, 24_231_933_120],
    [`${DRAFT} -devd none`, 'qwen3.gguf', 24_363_123_872, 24_370_416_800],
    [`${DRAFT} -ctkd q8_0 -ctvd q8_0`, 'qwen3.gguf', 23_335_414_976, 23_342_707_904],
    // An adapter in use is in the graphs from the first answer to the server's own warm-up on.
    ['--lora-scaled lora.gguf:0.5', 'llama.gguf', 6_257_150_272, 6_257_150_272],
    ['--lora-scaled lora.gguf:0', 'llama.gguf', 6_211_012_928, 6_211_012_928],
    ['--control-vector vector.gguf', 'llama.gguf', 6_127_634_752, 6_127_634_752],
  ])('%s is counted to the byte', async (words, model, start, used) => {
    const { stdout } = await check(model, words);
    expect(bytesOf(JSON.parse(stdout) as Answer)).toEqual([start, used]);
  });

  test.each([
    [`${DRAFT} --spec-draft-device CUDA9`, 'qwen3.gguf', 'llama.cpp refuses --spec-draft-device CUDA9'],
    [`${DRAFT} -devd MTL0`, 'qwen3.gguf', '--spec-draft-device MTL0 is no device of --accelerator cuda'],
    [`${DRAFT} -devd first`, 'qwen3.gguf', "llama-server's -devd expects devices such as CUDA0,CUDA1, or none"],
    ['--mmproj gemma-mmproj.gguf --mmproj-device CUDA9', 'gemma.gguf', 'llama.cpp refuses --mmproj-device CUDA9'],
    ['--mmproj gemma-mmproj.gguf --mmproj-device CUDA0,CUDA1', 'gemma.gguf', 'expects one device such as CUDA0'],
  ])('%s is refused by the name of what was typed', async (words, model, problem) => {
    const card = ['--accelerator', 'cuda', '--gpu-memory', '24Gi', '--system-memory', '64Gi', '-c', '8192'];
    const extra = words.replace(/(^|[ ,])([a-z0-9.-]+\.gguf)/g, `$1${folder.path}/$2`);
    const asked = ['check-memory', join(folder.path, model), ...card, `--extra-args=${extra}`];
    const { stderr, exitCode } = await askCli(asked, { COLUMNS: '240' });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(problem)]);
  });

  test('a smaller file of a draft is advised from the place where it lies, its header read', async () => {
    const large = readProfile(join(PROFILES, PROFILES_OF['qwen3-draft.gguf']));
    const small = {
      ...large,
      tensors: large.tensors.map((one) => (one.type === 'Q8_0' ? { ...one, type: 'Q4_0' } : one)),
    };
    for (const [name, profile] of Object.entries({ 'qwen3-0.6b-Q8_0.gguf': large, 'qwen3-0.6b-Q4_0.gguf': small }))
      await writeProfile(profile, join(folder.path, name));
    const words = `-md ${folder.path}/qwen3-0.6b-Q8_0.gguf --spec-type draft-simple`;
    // 22.7 GiB in all, of which the draft's weights are 0.6 in 8 bits, 0.3 in 4.
    const { stdout } = await askCli([
      ...['check-memory', join(folder.path, 'qwen3.gguf'), '--accelerator', 'metal'],
      ...['--memory-budget', '22.5Gi'],
      ...['-c', '8192', '--fit', 'off', '--json', `--extra-args=${words}`],
    ]);
    const { suggestions } = JSON.parse(stdout) as {
      suggestions: { kinds: string[]; flags: string[]; leaveOut: string[] }[];
    };
    const other = suggestions.find(({ kinds }) => kinds.includes('draft-quantization'));
    expect(other?.flags).toEqual([`--extra-args "--spec-draft-model ${folder.path}/qwen3-0.6b-Q4_0.gguf"`]);
    const none = suggestions.find(({ kinds }) => kinds.includes('no-draft'));
    expect([none?.flags, none?.leaveOut]).toEqual([[], ['--spec-draft-model', '--spec-type']]);
  });

  test.each([
    ['eagle3.gguf', 'draft-eagle3'],
    ['small-llama.gguf', 'draft-simple'],
  ])('a draft of which llama-server is not told how it drafts, %s, is told to be freed', async (draft, type) => {
    const { stdout } = await check('llama.gguf', `-md ${draft}`);
    const { warnings } = JSON.parse(stdout) as { warnings: string[] };
    expect(warnings.join('\n')).toMatch(
      new RegExp(`loads the draft and frees it before it answers, .*--spec-type ${type} makes use of it`),
    );
    const told = await check('llama.gguf', `-md ${draft} --spec-type ${type}`);
    expect(told.stdout).not.toContain('frees it before it answers');
  });

  test("a cache type of the draft that llama-server refuses is said of the draft's own option", async () => {
    const words = '-md small-llama.gguf --spec-type draft-simple -fa off';
    const drafts = await check('llama.gguf', `${words} -ctvd q8_0`);
    const { error } = JSON.parse(drafts.stdout) as { error: { message: string } };
    expect(error.message).toContain('--spec-draft-type-v f16');
    const own = await check('llama.gguf', `${words} -ctv q8_0`);
    expect(own.stdout).toContain('--cache-type-v f16');
  });

  test.each([
    ['-ngld', 'all', ['-ngld', '99']],
    ['-ngld', 'auto', []],
    ['-np', '-1', []],
    ['-ngl', '-2', ['-ngl', 'all']],
  ])('%s %s is a flag here too, and means what it means to llama-server', async (flag, value, same) => {
    const at = (name: string): string => join(folder.path, name);
    const drafting = ['-md', at('small-llama.gguf'), '--spec-type', 'draft-simple'];
    const figures = async (...words: string[]) => {
      const { stdout } = await askCli(['check-memory', at('llama.gguf'), ...MAC, ...drafting, ...words]);
      return (JSON.parse(stdout) as Answer).estimate;
    };
    expect(await figures(flag, value)).toEqual(await figures(...same));
  });

  test.each(['--draft-max', '--spec-ngram-size-m', '--model-vocoder'])(
    '%s is no flag of this program either, and answered as llama-server does',
    async (option) => {
      const { stdout, exitCode } = await askCli(['check-memory', join(folder.path, 'llama.gguf'), ...MAC, option, '5']);
      const { error } = JSON.parse(stdout) as { error: { message: string } };
      expect(error.message).toMatch(/removed; use --spec-|names a vocoder, which it never loads/);
      expect(exitCode).toBe(2);
    },
  );

  test.each(['--draft', '--draft-n', '--draft-max', '--draft-min'])(
    '%s, which llama-server has no more, is refused with its successor',
    async (option) => {
      const { stdout, exitCode } = await check('llama.gguf', `${option} 5`);
      const { error } = JSON.parse(stdout) as { error: { message: string } };
      expect(error.message).toContain('--spec-');
      expect(exitCode).toBe(2);
    },
  );
});
