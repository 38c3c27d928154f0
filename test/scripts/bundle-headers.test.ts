import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliEnvironment, run } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => folder.remove());

test('bundling headers again leaves those that there is no profile of, and removes those of no entry', async () => {
  const [profiles, headers] = [join(folder.path, 'profiles'), join(folder.path, 'headers')];
  mkdirSync(profiles);
  cpSync(join(ROOT, 'headers'), headers, { recursive: true });
  const before = readdirSync(headers);
  const read = (name: string): string => readFileSync(join(headers, name), 'utf8');
  const projector = read('gemma-3-12b.mmproj.json');
  writeFileSync(join(headers, 'gone.Q4_K_M.json'), JSON.stringify({ id: 'gone' }));
  writeFileSync(
    join(profiles, 'phi-4.json'),
    JSON.stringify({
      ...{ id: 'phi-4', architecture: 'phi3', quantization: 'Q4_K_M', factsFromMemory: [], tokenizer: { vocab: 8 } },
      metadata: [['general.architecture', 'phi3', 'str']],
      tensors: [{ name: 'token_embd.weight', dims: [32, 8], type: 'F32' }],
    }),
  );
  const words = [join(ROOT, 'scripts/bundle-headers.mjs'), profiles, headers];
  const { stdout, exitCode } = await run(process.execPath, words, cliEnvironment());
  expect(exitCode).toBe(0);
  expect(readdirSync(headers)).toEqual(before);
  expect(read('gemma-3-12b.mmproj.json')).toBe(projector);
  expect(read('phi-4.Q4_K_M.json')).toContain('token_embd.weight');
  expect(stdout).toContain('gone.Q4_K_M.json: removed, for the catalogue has no such entry');
});
