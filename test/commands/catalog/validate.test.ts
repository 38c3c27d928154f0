import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { askCli } from '../../support/cli-session.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const schema = JSON.parse(
  readFileSync(new URL('../../../schemas/catalog-validate.schema.json', import.meta.url), 'utf8'),
) as object;
const isValid = new Ajv({ strict: false }).compile(schema);
const PROFILE = fileURLToPath(new URL('../../oracle/profiles/smollm3-smollm3-3b.json', import.meta.url));

interface Row {
  readonly id: string;
  readonly status: string;
  readonly offBytes: number | null;
  readonly short: { context: number; requirementBytes: number } | null;
  readonly own: { context: number; requirementBytes: number } | null;
  readonly trueEstimate: string | null;
  readonly error?: { code: string };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder.path, 'smollm3.gguf');
  await writeProfile(readProfile(PROFILE), model);
});

afterAll(() => folder.remove());

/** A catalogue with one entry for each estimate, named by its place; 32768 tokens. */
async function catalogOf(...estimates: (string | undefined)[]): Promise<string> {
  const path = join(folder.path, `catalog-${estimates.join('-')}.yaml`);
  const entries = estimates.map((says, index) => {
    const stated = says === undefined ? '' : `    vram_estimate: ${says}\n`;
    return `  mine-${index}:\n    source: ${model}\n    context_size: 32768\n${stated}`;
  });
  await writeFile(path, `models:\n${entries.join('')}`);
  return path;
}

async function validate(...args: string[]): Promise<{ rows: Map<string, Row>; exitCode: number | null }> {
  const { stdout, exitCode } = await askCli(['catalog', 'validate', '--offline', '--json', ...args]);
  const json = JSON.parse(stdout) as { entries: Row[] };
  expect(isValid(json) || isValid.errors).toBe(true);
  return { rows: new Map(json.entries.map((row) => [row.id, row])), exitCode };
}

async function requirement(context: number): Promise<number> {
  // a catalogue's figures are those of the newest llama.cpp that is known
  const machine = ['--accelerator', 'metal', '--system-memory', '64Gi', '--llama-cpp', 'v0.8.0', '--json'];
  const { stdout } = await askCli(['check-memory', model, '--ctx-size', String(context), ...machine]);
  const { estimate } = JSON.parse(stdout) as { estimate: { parts: { bytes: number }[] } };
  return estimate.parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

describe('catalog validate', () => {
  test('passes the catalogue of this project', async () => {
    const { rows, exitCode } = await validate();
    const wrong = [...rows.values()].filter(({ status }) => !['true', 'unchecked'].includes(status));
    expect(wrong).toEqual([]);
    expect([...rows.values()].filter(({ status }) => status === 'true').length).toBeGreaterThanOrEqual(27);
    expect(exitCode).toBe(0);
  });

  test('gives the figures of check-memory at 8192 tokens and at the entry’s own context', async () => {
    const { rows } = await validate('--catalog', await catalogOf(undefined));
    const row = rows.get('mine-0');
    expect(row).toMatchObject({
      status: 'unstated',
      short: { context: 8192, requirementBytes: await requirement(8192) },
      own: { context: 32768, requirementBytes: await requirement(32768) },
    });
  });

  test('counts the projector and the draft that an entry names, as check-memory counts them', async () => {
    const at = async (path: string): Promise<string> => {
      const file = join(folder.path, path.replaceAll('/', '-'));
      await writeProfile(readProfile(fileURLToPath(new URL(`../../oracle/${path}.json`, import.meta.url))), file);
      return file;
    };
    const gemma = await at('profiles/gemma-4-12b.Q4_K_M');
    const mmproj = await at('projectors/profiles/mmproj-gemma-4-12b.F16');
    const draft = await at('drafts/profiles/mtp-gemma-4-12b.Q8_0');
    const entry = [
      `source: ${gemma}`,
      `mmproj: ${mmproj}`,
      `draft: ${draft}`,
      'spec_type: draft-mtp',
      'context_size: 4096',
    ];
    const catalog = join(folder.path, 'beside.yaml');
    await writeFile(catalog, `models:\n  seer:\n${entry.map((line) => `    ${line}\n`).join('')}`);
    const { rows } = await validate('--catalog', catalog);
    const given = ['--catalog', catalog, '--accelerator', 'metal', '--system-memory', '64Gi', '--llama-cpp', 'v0.8.0'];
    const { stdout } = await askCli(['check-memory', 'seer', ...given, '--json']);
    const { estimate } = JSON.parse(stdout) as { estimate: { parts: { of: string; bytes: number }[] } };
    expect(new Set(estimate.parts.map(({ of }) => of))).toEqual(new Set(['model', 'draft', 'projector']));
    expect(rows.get('seer')?.own?.requirementBytes).toBe(estimate.parts.reduce((sum, { bytes }) => sum + bytes, 0));
  });

  test('ends with 1 when an estimate contradicts its context, and says by how much', async () => {
    const short = Math.ceil((await requirement(8192)) / 2 ** 30);
    const own = await requirement(32768);
    const catalog = await catalogOf(`${short - 1}-${short}GB`, `${short - 1}-${Math.ceil(own / 2 ** 30)}GB`);
    const { rows, exitCode } = await validate('--catalog', catalog);
    expect(rows.get('mine-0')).toMatchObject({ status: 'contradicts-context', offBytes: own - short * 2 ** 30 });
    expect(rows.get('mine-1')).toMatchObject({ status: 'true', offBytes: 0 });
    expect(exitCode).toBe(1);

    const {
      stdout,
      stderr,
      exitCode: textExit,
    } = await askCli(['catalog', 'validate', '--offline', '--catalog', catalog]);
    expect(stdout).toMatch(/^mine-0 .*contradicts its context: \d.*[GM]B too low, \d+-\d+GB would be true$/m);
    expect(stdout).toMatch(/^mine-1 .*true$/m);
    expect(stderr).toMatch(/^Error: 1 of \d+ estimates is not true: mine-0$/m);
    expect(textExit).toBe(1);
  });

  test('ends with 3 when an entry cannot be checked for another reason than being offline', async () => {
    const catalog = join(folder.path, 'broken.yaml');
    await writeFile(catalog, `models:\n  gone:\n    source: ${folder.path}/gone.gguf\n    vram_estimate: 1-2GB\n`);
    const { rows, exitCode } = await validate('--catalog', catalog);
    expect(rows.get('gone')).toMatchObject({ status: 'unchecked', error: { code: 'SOURCE_FILE_UNREADABLE' } });
    expect(rows.get('gpt-oss-120b')).toMatchObject({ status: 'unchecked', error: { code: 'SOURCE_OFFLINE' } });
    expect(exitCode).toBe(3);
  });

  test('refuses a catalogue that cannot be read with 2', async () => {
    const { exitCode, stderr } = await askCli(['catalog', 'validate', '--catalog', join(folder.path, 'none.yaml')]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^Error: the catalogue .*none\.yaml cannot be read/);
  });
});
