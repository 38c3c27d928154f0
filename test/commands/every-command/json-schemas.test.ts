import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Config } from '@oclif/core';
import { Ajv, type ValidateFunction } from 'ajv';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostConfigMap } from '../../../src/lib/kube/hosts.js';
import { operate, TO_READY } from '../../support/kube/imitation-operator.js';
import { KubeApi } from '../../support/kube/kube-api.js';
import type { Json } from '../../support/kube/kube-types.js';
import { writeKubeconfig } from '../../support/kube/kubeconfig-file.js';
import { PROFILES } from '../../oracle/cases.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { askCli } from '../../support/cli-session.js';
import { cliEnvironment, run } from '../../support/run-cli.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCHEMAS = join(ROOT, 'schemas');
const LOG = join(ROOT, 'test/fixtures/logs/cuda-two-gpus.log');
const MAC_64 = ['--offline', '--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '4Gi'];
const MAC_8 = ['--offline', '--accelerator', 'metal', '--system-memory', '8Gi', '--in-use', '4Gi'];
const NAME = 'llama-3.2-3b';

function validator(name: string): ValidateFunction {
  const schema = JSON.parse(readFileSync(join(SCHEMAS, `${name}.schema.json`), 'utf8')) as object;
  return new Ajv({ strict: false, validateFormats: false }).compile(schema);
}

const isError = validator('error');
const model = join(mkdtempSync(join(tmpdir(), 'llmkube-schemas-')), 'tiny.gguf');
let api: KubeApi;
let env: Record<string, string>;

beforeAll(async () => {
  writeProfile(readProfile(join(PROFILES, 'tinyllama-1.1b.Q4_K_M.json')), model);
  api = await KubeApi.start();
  env = { KUBECONFIG: await writeKubeconfig({ double: { server: api.url } }) };
});
afterAll(() => api.close());

/** What a command prints, held against a schema, and how it ended. */
async function printed(schema: string, ...words: readonly string[]) {
  const { stdout, stderr, exitCode } = await askCli([...words, '--json'], env);
  const json = JSON.parse(stdout) as Record<string, unknown>;
  const validate = validator(schema);
  expect({ errors: validate(json) ? [] : validate.errors, stderr }).toEqual({ errors: [], stderr: '' });
  return { json, exitCode };
}

test('all schemas are written in one dialect, with what is used in several places among its definitions', () => {
  const all = readdirSync(SCHEMAS).map((file) => readFileSync(join(SCHEMAS, file), 'utf8'));
  const dialects = all.map((text) => (JSON.parse(text) as { $schema?: string }).$schema);
  expect(new Set(dialects)).toEqual(new Set(['http://json-schema.org/draft-07/schema#']));
  expect(all.filter((text) => text.includes('"$defs"'))).toEqual([]);
});

describe('JSON that a command prints is as its schema says', () => {
  test.each([
    ['check-memory', 0, ['check-memory', NAME, ...MAC_64, '--table', '--machines', '--chart', '--print', 'exec']],
    ['check-memory', 1, ['check-memory', 'llama-3.3-70b', ...MAC_8, '--table', '--by', 'slots', '--machines']],
    ['check-memory', 0, ['check-memory', NAME, ...MAC_64, '--memory-check', 'off']],
    ['check-memory', 0, ['check-memory', NAME, ...MAC_64, '--table', '--by', 'quantization']],
    ['check-memory', 1, ['check-memory', 'llama-3.1-8b', ...MAC_8, '-c', '4096', '--print', 'llama-server']],
    ['fit', 0, ['fit', NAME, ...MAC_64]],
    ['fit', 1, ['fit', 'llama-3.3-70b', ...MAC_8]],
    ['fit', 3, ['fit', './no-such-file.gguf', ...MAC_64]],
    ['compare', 0, ['compare', NAME, 'llama-3.3-70b', ...MAC_64]],
    ['compare', 1, ['compare', NAME, 'gemma-3-4b', 'phi-4', ...MAC_8, '-c', '2048', '--together']],
    ['compare', 3, ['compare', NAME, './no-such-file.gguf', ...MAC_64]],
    ['catalog-list', 0, ['catalog', 'list']],
    ['catalog-info', 0, ['catalog', 'info', NAME]],
    ['cache-info', 0, ['cache', 'info']],
    ['cache-clear', 0, ['cache', 'clear']],
    ['agent-install', 0, ['agent', 'install', '--dry-run']],
    ['agent-uninstall', 0, ['agent', 'uninstall']],
    ['agent-status', 1, ['agent', 'status', '--port', '1']],
    ['agent-manifests', 0, ['agent', 'manifests', '-n', 'models']],
    ['deploy', 1, ['deploy', 'llama-3.3-70b', ...MAC_8]],
    ['deploy', 0, ['deploy', NAME, ...MAC_64, '--dry-run', 'client']],
    ['deploy', 0, ['deploy', NAME, ...MAC_64, '--dry-run', 'server']],
  ])('%s, exit %d: %j', async (schema, exitCode, words) => {
    expect((await printed(schema, ...words)).exitCode).toBe(exitCode);
  });

  test('compare, what is not known to fit together', async () => {
    const words = ['compare', NAME, './no-such-file.gguf', ...MAC_64];
    const together = async (...more: string[]) => (await printed('compare', ...words, ...more)).json.together;
    expect([await together('--together'), await together()]).toEqual([null, undefined]);
  });

  test('catalog check, an object for each entry', async () => {
    const { json } = await printed('catalog-check', 'catalog', 'check', ...MAC_8);
    const { models } = json as { models: { verdict: string; largestContext: number | null }[] };
    expect(new Set(models.map(({ verdict }) => verdict))).toContain('does-not-fit');
    expect(models.some(({ largestContext }) => largestContext === null)).toBe(true);
  });

  test('compare-log of equal and of other buffers', async () => {
    expect((await printed('compare-log', 'compare-log', LOG, model)).exitCode).toBe(0);
    expect((await printed('compare-log', 'compare-log', LOG, model, '--tensor-split', '1,3')).exitCode).toBe(1);
  });

  test('deploy, list, status, hosts and delete, as the cluster has it', async () => {
    operate(api, TO_READY, { name: NAME });
    const { json } = await printed('deploy', 'deploy', NAME, ...MAC_64, '--accelerator', 'cpu');
    expect(json.deploy).toMatchObject({ state: 'ready', resources: [{ outcome: 'created' }, { outcome: 'created' }] });
    await printed('list', 'list');
    await printed('list', 'list', 'models');
    await printed('status', 'status', NAME);
    const report = {
      agent: 'mac-1',
      accelerator: 'metal',
      totalBytes: 64 * 2 ** 30,
      inUseBytes: 2 ** 30,
      promisedBytes: 0,
      budgetBytes: 47 * 2 ** 30,
      gpuBudgetBytes: [],
      build: undefined,
      services: [`default/${NAME}`],
      heartbeat: new Date().toISOString(),
    };
    api.inject({
      path: /configmaps/,
      json: { kind: 'ConfigMapList', items: [hostConfigMap(report, 'default') as Json] },
    });
    const { json: hosts } = await printed('hosts', 'hosts');
    expect(hosts).toMatchObject({ hosts: [{ agent: 'mac-1', fresh: true }] });
    await printed('delete', 'delete', NAME, '--purge-cache');
  });
});

test('every command that prints JSON has a schema, and every schema belongs to one', async () => {
  const config = await Config.load(ROOT);
  const own = config.commands.filter(
    ({ pluginName, enableJsonFlag, id, aliases }) =>
      pluginName === 'llmkube' && enableJsonFlag && !aliases.includes(id),
  );
  const names = own.map(({ id }) => id.replaceAll(':', '-'));
  const resources = ['model.v1alpha1', 'inferenceservice.v1alpha1', 'error'];
  // Of check-memory and of fit, with --cluster.
  const ofTwo = ['cluster-check'];
  const files = readdirSync(SCHEMAS).map((file) => file.replace('.schema.json', ''));
  expect(files.sort()).toEqual([...names, ...resources, ...ofTwo].sort());
});

describe('a command that gets no answer prints an error, not half an answer', () => {
  test.each([
    [2, ['check-memory', NAME, '--ctx-size', 'many']],
    [2, ['catalog', 'info', 'no-such-model']],
    [2, ['compare-log', './no-such.log']],
    [2, ['deploy', NAME, '--skip-cache']],
    [3, ['inspect', './no-such-file.gguf']],
    [4, ['status', 'no-such-service']],
    [4, ['list', '--kubeconfig', './no-such-kubeconfig']],
  ])('exit %d: %j', async (exitCode, words) => {
    const { json, exitCode: ended } = await printed('error', ...words);
    expect(ended).toBe(exitCode);
    expect(validator(words.slice(0, words[0] === 'catalog' ? 2 : 1).join('-'))(json)).toBe(false);
  });

  test('that is not an answer by any schema', () => {
    expect(isError({ error: { code: 'lower-case', message: '', suggestions: [] } })).toBe(false);
  });
});

test('schemas that share an object are derived from one another', async () => {
  const args = [join(ROOT, 'scripts/write-schemas.mjs'), '--check'];
  expect(await run(process.execPath, args, cliEnvironment())).toEqual({ stdout: '', stderr: '', exitCode: 0 });
});
