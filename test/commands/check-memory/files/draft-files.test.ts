import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../../../oracle/cases.js';
import { buildGguf } from '../../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../../support/models/profile.js';
import { RangeServer, type ServedFile } from '../../../support/servers/range-server.js';
import { askCli } from '../../../support/cli-session.js';

const MAC = ['--accelerator', 'metal', '--system-memory', '96Gi', '--in-use', '3Gi', '-c', '8192'];

/** What llama.cpp v0.5.0 allocates when the server starts, in bytes, as test/oracle/drafts/cases.jsonl has it. */
const WITH_EAGLE3 = 7_586_428_560;
/** Of Gemma 4 12B's assistant, its head and embeddings counted once. */
const ASSISTANT_WEIGHTS_MIB = 429;

function served(path: string): ServedFile & { size: number } {
  const { header, dataBytes } = buildGguf(profileSpec(readProfile(join(PROFILES, path))));
  return { start: header, size: header.length + dataBytes };
}

const LLAMA = served('llama-3.1-8b.Q4_K_M.json');
const EAGLE3 = served('../drafts/profiles/eagle3-llama-3.1-8b.F16.json');
const GEMMA = served('gemma-4-12b.Q4_K_M.json');
const ASSISTANT = served('../drafts/profiles/mtp-gemma-4-12b.Q8_0.json');

const REPOSITORIES: Readonly<Record<string, Readonly<Record<string, ServedFile & { size: number }>>>> = {
  'o/llama': { 'llama-Q4_K_M.gguf': LLAMA, 'eagle3-llama-F16.gguf': EAGLE3 },
  'o/plain': { 'llama-Q4_K_M.gguf': LLAMA },
  'o/heads': { 'dflash-other-F16.gguf': LLAMA, 'eagle3-llama-F16.gguf': EAGLE3, 'llama-Q4_K_M.gguf': LLAMA },
  'o/both': { 'dflash-other-F16.gguf': LLAMA, 'dspark-other-F16.gguf': LLAMA, 'llama-Q4_K_M.gguf': LLAMA },
  'o/eagle': { 'eagle3-llama-F16.gguf': EAGLE3 },
  'o/gemma': { 'gemma-Q4_K_M.gguf': GEMMA, 'mtp-gemma-Q4_0.gguf': LLAMA, 'mtp-gemma-Q8_0.gguf': ASSISTANT },
};

interface Answer {
  readonly draft: { readonly source: string; readonly reason: string } | null;
  readonly estimate: { readonly parts: readonly { name: string; of: string; bytes: number }[] };
  readonly verdict: string;
  readonly warnings: readonly string[];
}

describe('the draft of a launch on the hub', () => {
  let hub: RangeServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    hub = await RangeServer.start();
    env = { HF_ENDPOINT: hub.origin };
    for (const [repository, files] of Object.entries(REPOSITORIES)) {
      for (const [name, file] of Object.entries(files)) hub.serve(`/${repository}/resolve/main/${name}`, file);
      const siblings = Object.entries(files).map(([rfilename, { size }]) => ({ rfilename, size }));
      hub.json(`/api/models/${repository}/revision/main`, { siblings });
    }
  });

  afterAll(() => hub.close());

  async function answer(model: string, words: string): Promise<Answer> {
    const { stdout } = await askCli(['check-memory', model, ...MAC, '--json', `--extra-args=${words}`], env);
    return JSON.parse(stdout) as Answer;
  }

  const bytes = ({ estimate }: Answer, of?: string): number =>
    estimate.parts
      .filter((part) => part.name !== 'runtime-overhead' && (of === undefined || part.of === of))
      .reduce((sum, part) => sum + part.bytes, 0);

  test('is the one in the model’s repository that --spec-type asks for, counted to the byte', async () => {
    const found = await answer('hf:o/llama', '--spec-type draft-eagle3');
    expect(found.draft).toMatchObject({ source: 'hf:o/llama/eagle3-llama-F16.gguf', reason: 'beside' });
    expect(bytes(found)).toBe(WITH_EAGLE3);
  });

  test('is none where no type is asked for, or one that needs a named draft', async () => {
    expect((await answer('hf:o/llama', '')).draft).toBeNull();
    expect((await answer('hf:o/llama', '--spec-type ngram-mod')).draft).toBeNull();
  });

  test('is of the type that its name in the repository of -hfd says', async () => {
    const found = await answer('hf:o/plain', '-hfd o/eagle');
    expect(found.draft).toMatchObject({ source: 'hf:o/eagle/eagle3-llama-F16.gguf', reason: 'repository' });
    expect(bytes(found)).toBe(WITH_EAGLE3);
  });

  test('is of the type asked for where the repository of -hfd has others too, DSpark and DFlash first otherwise', async () => {
    const asked = await answer('hf:o/plain', '-hfd o/heads --spec-type draft-eagle3');
    expect(asked.draft?.source).toBe('hf:o/heads/eagle3-llama-F16.gguf');
    const open = await answer('hf:o/plain', '-hfd o/heads');
    expect(open.draft?.source).toBe('hf:o/heads/dflash-other-F16.gguf');
    const both = await answer('hf:o/plain', '-hfd o/both');
    expect(both.draft?.source).toBe('hf:o/both/dspark-other-F16.gguf');
  });

  test('is the whole model of -hfd for a type that uses one', async () => {
    const found = await answer('hf:o/plain', '-hfd o/heads --spec-type draft-simple');
    expect(found.draft).toMatchObject({ source: 'hf:o/heads', reason: 'named' });
  });

  test('is the assistant whose quantization the tag of -hf names, else the one nearest in bits', async () => {
    const nearest = await answer('hf:o/gemma', '--spec-type draft-mtp');
    expect(nearest.draft?.source).toBe('hf:o/gemma/mtp-gemma-Q4_0.gguf');
    const named = await answer('hf:o/gemma/gemma-Q4_K_M.gguf', '-hfd o/gemma:Q8_0');
    expect(named.draft?.source).toBe('hf:o/gemma/mtp-gemma-Q8_0.gguf');
    const weights = named.estimate.parts.filter(({ name, of }) => of === 'draft' && name === 'weights');
    expect(Math.round(weights.reduce((sum, part) => sum + part.bytes, 0) / 2 ** 20)).toBe(ASSISTANT_WEIGHTS_MIB);
  });

  test('is said in the text, with why it is loaded', async () => {
    const { stdout } = await askCli(['check-memory', 'hf:o/llama', ...MAC, '--spec-type', 'draft-eagle3'], env);
    expect(stdout).toMatch(
      /draft +hf:o\/llama\/eagle3-llama-F16\.gguf \(.*llama-server -hf loads for this --spec-type\)/,
    );
  });

  test('is not known, and nothing is claimed, where its repository cannot be listed', async () => {
    const { stderr, exitCode } = await askCli(
      ['check-memory', 'hf:o/plain', ...MAC, '--extra-args=-hfd o/nowhere'],
      env,
    );
    expect(exitCode).toBe(3);
    expect(stderr).toContain('o/nowhere');
  });
});
