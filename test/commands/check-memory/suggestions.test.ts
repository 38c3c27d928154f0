import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../../oracle/cases.js';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../support/models/profile.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { askCli } from '../../support/cli-session.js';
import { fakeMachine, type FakeMachine } from '../../support/fake-machine.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';
import { splitWords } from '../../../src/lib/runtime/server-arguments.js';

interface Suggested {
  readonly kinds: readonly string[];
  readonly flags: readonly string[];
  readonly model: string | null;
  readonly requirementBytes: number;
  readonly verdict: string;
  readonly quantization: string | null;
  readonly estimated: boolean;
}

interface Checked {
  readonly verdict: string;
  readonly source: { readonly uri: string; readonly file: string | null };
  readonly requirementBytes: number;
  readonly suggestions: readonly Suggested[];
}

async function checkJson(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout, exitCode } = await askCli(['check-memory', ...args, '--json'], env);
  return { json: JSON.parse(stdout) as Checked, exitCode };
}

/** Every suggestion, typed as it is printed behind the command that was refused. */
async function typedSuggestions(model: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { json, exitCode } = await checkJson([model, ...args], env);
  expect(exitCode).toBe(1);
  const { suggestions } = json;
  const words = suggestions.map(({ flags }) => [model, ...args, ...flags.flatMap(splitWords)]);
  const checks = await Promise.all(words.map((line) => checkJson(line, env)));
  return { suggested: suggestions, checks, kinds: suggestions.map(({ kinds }) => kinds.join('+')) };
}

const mac = (memory: string, inUse: string): string[] => [
  ...['--accelerator', 'metal', '--system-memory', memory, '--in-use', inUse, '--offline'],
];

const OPEN = ['--gpu-layers', 'auto', '--no-mmproj'];

const smallCard = (memory: string, inUse: string): string[] => [
  ...['--accelerator', 'cuda', '--gpu-memory', '8Gi', '--system-memory', memory, '--in-use', inUse, '--offline'],
];

describe('every suggestion, typed as it is printed', () => {
  test.each([
    ['qwen-coder-32b', mac('32Gi', '3.4Gi')],
    ['llama-3.3-70b', mac('16Gi', '4Gi')],
    ['qwen-coder-32b', [...mac('36Gi', '6Gi'), '--extra-args', '-c 32768 -ctk f16']],
    [
      'qwen-3-30b-a3b',
      ['--accelerator', 'cuda', '--gpu-memory', '12Gi', '--system-memory', '64Gi', '--in-use', '4Gi', '--offline'],
    ],
    [
      'llama-3.1-8b',
      ['--accelerator', 'cpu', '--system-memory', '16Gi', '--in-use', '5Gi', '--ctx-size', '65536', '--offline'],
    ],
    ['phi-4', ['--accelerator', 'metal', '--memory-budget', '9Gi', '--system-memory', '64Gi', '--offline']],
  ])('is accepted: %s %j', async (model, args) => {
    const { suggested, checks } = await typedSuggestions(model, args);
    expect(suggested.length).toBeGreaterThan(0);
    for (const [index, { json, exitCode }] of checks.entries()) {
      expect(exitCode).toBe(0);
      expect(['fits', 'tight']).toContain(json.verdict);
      expect(json.requirementBytes).toBe(suggested[index]?.requirementBytes);
    }
  });

  // On a Mac and with a small card, where --fit chooses context, layers, or both for the launch that is refused.
  test.each([
    ['llama-3.1-8b', [...mac('8Gi', '5Gi'), ...OPEN]],
    ['qwen-3-30b-a3b', [...mac('24Gi', '5Gi'), ...OPEN]],
    ['phi-4', [...mac('16Gi', '5Gi'), '--extra-args', '-ngl auto -c 0']],
    ['gemma-3-12b', [...smallCard('8Gi', '5Gi'), ...OPEN]],
    ['qwen-3-30b-a3b', [...smallCard('24Gi', '12Gi'), ...OPEN]],
  ])('takes what was said of it, though llama-server chose context and layers: %s %j', async (model, args) => {
    const { suggested, checks } = await typedSuggestions(model, args);
    expect(suggested.length).toBeGreaterThan(0);
    expect(checks.map(({ exitCode, json }) => [exitCode, json.requirementBytes])).toEqual(
      suggested.map(({ requirementBytes }) => [0, requirementBytes]),
    );
  });

  test('there are at least three for a 32B on a 32 GB Mac', async () => {
    const { stderr } = await askCli(['check-memory', 'qwen-coder-32b', ...mac('32Gi', '3.4Gi')]);
    expect(stderr.match(/^ +[\d.]+GB {2}--/gm)?.length).toBeGreaterThanOrEqual(3);
  });

  test('nothing is suggested while an option brings memory that is not counted', async () => {
    const { json } = await checkJson(['qwen-coder-32b', ...mac('32Gi', '3.4Gi'), '--extra-args', '-m other.gguf']);
    expect(json.verdict).toBe('does-not-fit');
    expect(json.suggestions).toEqual([]);
  });
});

describe('on a machine whose GPUs are found, every suggestion, typed as it is printed', () => {
  // As nvidia-smi has them: total, used, uuid, MIG, name, free.
  const card = (total: number, free: number, name = 'NVIDIA L4'): string =>
    `${total}, ${total - free}, GPU-${total}-${free}, [N/A], ${name}, ${free}`;
  const FULL = [card(24564, 200)];
  const SHARED = ['[N/A], [N/A], GPU-0, [N/A], NVIDIA GB10, [N/A]'];
  // What is measured of this machine may change in between.
  const idle = ['--in-use', '0', '--offline'];
  let machine: FakeMachine | undefined;
  afterEach(async () => machine?.remove());

  test.each([
    ['a full one', FULL, 'lfm2-1.2b', ['-c', '4096']],
    ['a full one, and layers that are open', FULL, 'lfm2-1.2b', ['-c', '4096', '--gpu-layers', 'auto']],
    ['a full one that --extra-args say more of', FULL, 'lfm2-1.2b', ['-c', '4096', '--extra-args', '--device CUDA0']],
    ['one that is half full', [card(4096, 2048)], 'llama-3.2-3b', ['-c', '4096']],
    ['two small ones', [card(3072, 3000), card(2048, 1500)], 'qwen-3-embedding-0.6b', ['-c', '32768', '-ub', '8192']],
    [
      'one that shares the memory',
      SHARED,
      'llama-3.3-70b',
      ['-c', '131072', '--parallel', '1', '-ctk', 'q8_0', '-ctv', 'q8_0'],
    ],
  ])('is accepted: %s', async (_, rows, model, launch) => {
    machine = await fakeMachine({ 'nvidia-smi': `printf '%s\\n' ${rows.map((row) => `'${row}'`).join(' ')}` });
    const { suggested, checks } = await typedSuggestions(model, [...launch, ...idle], machine.env);
    expect(suggested.length).toBeGreaterThan(0);
    expect(checks.map(({ exitCode, json }) => [exitCode, json.requirementBytes])).toEqual(
      suggested.map(({ requirementBytes }) => [0, requirementBytes]),
    );
  });

  test('a full one is not used at all, which no fewer layers on it are', async () => {
    machine = await fakeMachine({ 'nvidia-smi': `echo '${FULL.join()}'` });
    const { suggested, kinds } = await typedSuggestions('lfm2-1.2b', ['-c', '4096', ...idle], machine.env);
    expect([kinds, suggested.map(({ flags }) => flags)]).toEqual([['no-gpu'], [['--device none']]]);
  });

  test('another that shares its memory is described in full', async () => {
    machine = await fakeMachine({ 'nvidia-smi': `echo '${SHARED.join()}'` });
    const tooLarge = ['-c', '131072', '--quantization', 'Q4_K_M', '--memory-fraction', '0.1'];
    const { suggested } = await typedSuggestions('llama-3.3-70b', [...tooLarge, ...idle], machine.env);
    const other = suggested.find(({ kinds }) => kinds.includes('machine'));
    expect(other?.flags.slice(0, 1)).toEqual(['--accelerator cuda']);
    expect(other?.flags).toEqual(expect.arrayContaining(['--unified-memory']));
  });
});

const CODER = 'qwen-2.5-coder-32b';

function coder(quantization: string): { start: Uint8Array; size: number } {
  const { header, dataBytes } = buildGguf(profileSpec(readProfile(join(PROFILES, `${CODER}.${quantization}.json`))));
  return { start: header, size: header.length + dataBytes };
}

describe('quantizations of the model', () => {
  let server: RangeServer;
  let folder: { path: string; remove: () => Promise<void> };
  const online = mac('32Gi', '3.4Gi').filter((word) => word !== '--offline');

  beforeAll(async () => {
    server = await RangeServer.start();
    folder = await temporaryFolder();
    const sizes = ['Q2_K', 'Q3_K_M', 'Q4_K_M'].map((quantization) => [quantization, coder(quantization)] as const);
    for (const [quantization, file] of sizes) {
      server.serve(`/owner/repo/resolve/main/coder-${quantization}.gguf`, file);
      await writeSparseFile(join(folder.path, `coder-${quantization}.gguf`), file.start, file.size);
    }
    const siblings = [
      ...sizes.map(([quantization, { size }]) => ({ rfilename: `coder-${quantization}.gguf`, size })),
      { rfilename: 'another-model-Q3_K_L.gguf', size: 17e9 },
      { rfilename: 'mmproj-coder-F16.gguf', size: 1e9 },
    ];
    server.json('/api/models/owner/repo/revision/main', { siblings });
    server.json('/api/models/owner/repo/revision/main?blobs=true', { siblings });
  });

  afterAll(async () => {
    await server.close();
    await folder.remove();
  });

  test('are those that the repository has, read before they are proposed', async () => {
    const env = { HF_ENDPOINT: server.url('').replace(/\/$/, '') };
    const { suggested, checks } = await typedSuggestions('hf:owner/repo:Q4_K_M', [...online, '--no-mmproj'], env);
    const named = suggested.flatMap(({ quantization }) => (quantization === null ? [] : [quantization]));
    expect(named).toContain('Q3_K_M');
    expect(named.filter((quantization) => !['Q2_K', 'Q3_K_M'].includes(quantization))).toEqual([]);
    expect(suggested.every(({ estimated }) => !estimated)).toBe(true);
    expect(checks.map(({ exitCode }) => exitCode)).toEqual(checks.map(() => 0));
  });

  test('are asked for once, since a listing only helps to advise', async () => {
    const env = { HF_ENDPOINT: server.url('').replace(/\/$/, '') };
    server.serve('/owner/busy/resolve/main/coder-Q4_K_M.gguf', coder('Q4_K_M'));
    const listing = '/api/models/owner/busy/revision/main';
    server.handle(listing, (_, response) => void response.writeHead(503, { 'retry-after': '0' }).end());
    const { exitCode } = await checkJson(['hf:owner/busy/coder-Q4_K_M.gguf', ...online, '--no-mmproj'], env);
    expect(exitCode).toBe(1);
    expect(server.requests.filter(({ path }) => path === listing)).toHaveLength(1);
  });

  test('are those that lie beside a local file', async () => {
    const { suggested, checks } = await typedSuggestions(join(folder.path, 'coder-Q4_K_M.gguf'), online);
    expect(suggested.map(({ quantization }) => quantization)).toContain('Q3_K_M');
    expect(checks.map(({ exitCode }) => exitCode)).toEqual(checks.map(() => 0));
  });

  test('that --quantization does not lead to are named as files, by flags that go behind the refused command', async () => {
    const { path, remove } = await temporaryFolder();
    for (const [name, quantization] of [
      ['coder-Q4_K_M.gguf', 'Q4_K_M'],
      ['CODER-q3_k_m.gguf', 'Q3_K_M'],
    ] as const) {
      const { start, size } = coder(quantization);
      await writeSparseFile(join(path, name), start, size);
    }
    const model = join(path, 'coder-Q4_K_M.gguf');
    const { suggested, checks } = await typedSuggestions(model, [...online, '-q', 'Q4_K_M']);
    const at = suggested.findIndex(({ flags }) => flags.includes('--file CODER-q3_k_m.gguf'));
    expect(suggested[at]).toMatchObject({ quantization: 'Q3_K_M', model: join(path, 'CODER-q3_k_m.gguf') });
    expect(checks[at]?.json).toMatchObject({ verdict: suggested[at]?.verdict, source: { uri: suggested[at]?.model } });
    expect(checks[at]?.json.requirementBytes).toBe(suggested[at]?.requirementBytes);
    await remove();
  });

  test('in folders of a repository are named by --file, too', async () => {
    const env = { HF_ENDPOINT: server.url('').replace(/\/$/, '') };
    const files = ['Q3_K_M', 'Q4_K_M'].map((quantization) => ({ quantization, ...coder(quantization) }));
    const listed = files.map(({ quantization, size }) => ({
      rfilename: `${quantization}/coder-${quantization.toLowerCase()}.gguf`,
      size,
    }));
    for (const [index, file] of files.entries())
      server.serve(`/owner/folders/resolve/main/${listed[index]?.rfilename}`, file);
    const siblings = [...listed, { rfilename: 'other-Q3_K_M.gguf', size: 15e9 }];
    server.json('/api/models/owner/folders/revision/main', { siblings });
    server.json('/api/models/owner/folders/revision/main?blobs=true', { siblings });
    const model = 'hf:owner/folders/Q4_K_M/coder-q4_k_m.gguf';
    const { suggested, checks } = await typedSuggestions(model, [...online, '--no-mmproj'], env);
    expect(suggested.map(({ quantization }) => quantization)).toContain('Q3_K_M');
    expect(checks.map(({ json }) => json.requirementBytes)).toEqual(
      suggested.map(({ requirementBytes }) => requirementBytes),
    );
    const direct = await checkJson([model, ...online, '--no-mmproj', '--file', 'Q3_K_M/coder-q3_k_m.gguf'], env);
    expect(direct.json.source.file).toBe('Q3_K_M/coder-q3_k_m.gguf');
  });

  test('are not invented where a local file is alone', async () => {
    const { path, remove } = await temporaryFolder();
    const file = coder('Q4_K_M');
    await writeSparseFile(join(path, 'alone-Q4_K_M.gguf'), file.start, file.size);
    const { suggested } = await typedSuggestions(join(path, 'alone-Q4_K_M.gguf'), online);
    expect(suggested.map(({ quantization }) => quantization)).toEqual(suggested.map(() => null));
    await remove();
  });
});
