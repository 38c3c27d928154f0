import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { buildGguf } from '../../../support/models/gguf-writer.js';
import { RangeServer } from '../../../support/servers/range-server.js';
import { askCli } from '../../../support/cli-session.js';
import { temporaryFolder } from '../../../support/sparse-file.js';
import { tinyModelSpec, writeTinyModel } from '../../../support/models/tiny-model.js';

const HERE = ['--accelerator', 'cpu', '--system-memory', '16Gi'];
const REPOSITORY = 'owner/Tiny-GGUF';
const FILES = ['Tiny-Q4_K_M.gguf', 'Tiny-UD-Q4_K_XL.gguf', 'Tiny-Q8_0.gguf'];

describe('a model that is named as people type it', () => {
  let hub: RangeServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    hub = await RangeServer.start();
    env = { HF_ENDPOINT: hub.origin };
    const { header, dataBytes } = buildGguf(tinyModelSpec());
    const size = header.length + dataBytes;
    for (const name of FILES) hub.serve(`/${REPOSITORY}/resolve/main/${name}`, { start: header, size });
    hub.json(`/api/models/${REPOSITORY}/revision/main`, {
      siblings: FILES.map((rfilename) => ({ rfilename, size })),
    });
    hub.json('/api/models', [{ id: REPOSITORY }, { id: 'owner/Something-Else-Entirely-GGUF' }]);
  });

  afterAll(() => hub.close());

  const told = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await askCli(['check-memory', ...args, ...HERE], env);
    return { text: `${stdout}${stderr}`, exitCode };
  };

  test("a publisher's own mix is called what its file is called", async () => {
    const { text, exitCode } = await told(`${REPOSITORY}:Q4_K_XL`);
    expect(text).toContain(`${REPOSITORY}:Q4_K_XL (UD-Q4_K_XL)`);
    expect(exitCode).toBe(0);
    const inspected = await askCli(['inspect', `${REPOSITORY}:UD-Q4_K_XL`, '--json'], env);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ quantization: 'UD-Q4_K_XL' });
  });

  test('a quantization that is not there is told from those that are', async () => {
    const { text, exitCode } = await told(`hf.co/${REPOSITORY}:q4km`);
    expect(text).toContain('it has Q4_K_M, UD-Q4_K_XL, Q8_0');
    expect(text).toContain(`did you mean hf:${REPOSITORY}:Q4_K_M?`);
    expect(exitCode).toBe(3);
  });

  test.each([
    ['Q8', 'Q8_0'],
    ['q5', 'Q5_K_M or Q5_K_S'],
    ['IQ3', 'IQ3_M or IQ3_S or IQ3_XS'],
  ])('a part of a name, %s, is told the whole name where nothing can be asked', async (part, whole) => {
    const { text, exitCode } = await told('llama-3.2-3b', '-q', part, '--offline');
    expect(text).toContain(`did you mean ${whole}`);
    expect(exitCode).toBe(2);
  });

  test('a publisher’s own mix is not taken for a mistake where nothing can be asked', async () => {
    const { text, exitCode } = await told('llama-3.2-3b', '-q', 'UD-Q4_K_XL', '--offline');
    expect(text).toContain('was not read on this machine before');
    expect(exitCode).toBe(3);
  });

  test('a repository and a file that are not there are told from those of nearly the same name', async () => {
    expect((await told('owner/Tiny-GFUF:Q8_0')).text).toContain(`Suggestion: did you mean hf:${REPOSITORY}?`);
    const { text } = await told(`hf:${REPOSITORY}/Tiny-Q8_O.gguf`);
    expect(text).toContain(`did you mean hf:${REPOSITORY}/Tiny-Q8_0.gguf`);
  });

  test('fit keeps to the quantization behind a colon', async () => {
    const args = ['--accelerator', 'metal', '--system-memory', '64Gi', '--offline', '--json'];
    const { stdout } = await askCli(['fit', 'llama-3.1-8b:Q4_K_S', ...args]);
    expect(JSON.parse(stdout)).toMatchObject({ quantization: 'Q4_K_S' });
  });

  test('where several files could be meant, the answer says how to name one', async () => {
    expect((await told(REPOSITORY)).text).toContain(`the repository has 2 more: name one as hf:${REPOSITORY}:QUANT`);
  });

  test('a path at which there is nothing is told from its neighbours, or as a repository', async () => {
    const { path, remove } = await temporaryFolder();
    await writeTinyModel(join(path, 'tiny.gguf'));
    expect((await told(join(path, 'tinny.gguf'))).text).toContain(`did you mean ${join(path, 'tiny.gguf')}?`);
    expect((await told('owner/Tiny')).text).toContain('hf:owner/Tiny reads it from Hugging Face');
    await remove();
  });

  test('an id of the catalogue takes a quantization behind a colon', async () => {
    const [tagged, flagged] = await Promise.all([
      askCli(['check-memory', 'llama-3.1-8b:Q8_0', ...HERE, '--offline', '--json']),
      askCli(['check-memory', 'llama-3.1-8b', '-q', 'Q8_0', ...HERE, '--offline', '--json']),
    ]);
    const bytes = ({ stdout }: { stdout: string }) =>
      (JSON.parse(stdout) as { requirementBytes: number }).requirementBytes;
    expect(bytes(tagged)).toBe(bytes(flagged));
  });

  test.each([
    [['phi-4', '-ctk', 'fp16'], 'did you mean --cache-type-k f16 or bf16?'],
    [['phi-4', '--vram', '24g'], 'did you mean --gpu-memory?'],
    [['phi-4', '-t', '8'], 'give it as --extra-args "-t 8"'],
    [['-m', './model.gguf'], 'name the model by itself: ./model.gguf'],
    [['-hf', REPOSITORY], `name the model by itself: hf:${REPOSITORY}`],
    [['phi-4', 'Q4_K_M'], 'say --quantization Q4_K_M'],
    [['phi-4', '--watch', '--chart'], '--chart and --watch are two answers: leave one of them out'],
  ])('%j is answered with what to type', async (args, suggestion) => {
    const { text, exitCode } = await told(...args, '--offline');
    expect(text).toContain(suggestion);
    expect(exitCode).toBe(2);
  });
});

describe('beside a model', () => {
  const BESIDE = ['check-memory', 'llama-3.1-8b', '--offline', '--accelerator', 'cpu', '--system-memory', '64Gi'];
  const ADVICE = 'no id of the catalogue stands here: give its path, a URL or hf:OWNER/REPO/FILE.gguf';

  test.each(['--spec-draft-model', '--lora'])('%s of an id of the catalogue is told that it is none', async (flag) => {
    const { stderr, exitCode } = await askCli([...BESIDE, flag, 'llama-3.2-3b']);
    expect(stderr).toContain(`Reason: cannot read llama-3.2-3b: there is no such file\n  Suggestion: ${ADVICE}\n`);
    expect(exitCode).toBe(3);
  });

  test('a path at which there is nothing is told no such thing', async () => {
    const { stderr } = await askCli([...BESIDE, '--spec-draft-model', './draft.gguf']);
    expect(stderr).toContain('cannot read ./draft.gguf: there is no such file');
    expect(stderr).not.toContain(ADVICE);
  });
});
