import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { answer, PageAnswer, pageModel } from '../../../src/lib/page/answer.js';
import type { commandLine } from '../../../src/lib/page/copied-command.js';
import type { Controls, initialControls } from '../../../src/lib/page/controls/controls.js';
import type { curveOf } from '../../../src/lib/page/curve.js';
import type { PageInput } from '../../../src/lib/page/page-input.js';
import { PROFILES } from '../../oracle/cases.js';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { type CheckFigures, pageData, pageProgram, readPage, runPrinted } from '../../support/page/page-file.js';
import { profileSpec, readProfile, writeProfile } from '../../support/models/profile.js';
import { askCli } from '../../support/cli-session.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

const GIB = 2 ** 30;
const MAC = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--offline'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder.remove());

interface Program {
  readonly answer: typeof answer;
  readonly pageModel: typeof pageModel;
  readonly initialControls: typeof initialControls;
  readonly commandLine: typeof commandLine;
  readonly curveOf: typeof curveOf;
}

/** The page's own program, asked without a browser. */
class Page {
  private constructor(
    readonly html: string,
    readonly program: Program,
    private readonly model: ReturnType<typeof pageModel>,
    readonly initial: Controls,
  ) {}

  static async of(...args: string[]): Promise<Page> {
    const path = join(folder.path, 'page.html');
    const { stderr } = await askCli(['check-memory', ...args, '--html', path]);
    expect(stderr).toContain(`Page written to ${path}`);
    const html = await readPage(path);
    const program = pageProgram(html) as Program;
    const model = program.pageModel(pageData(html) as PageInput);
    return new Page(html, program, model, program.initialControls(model.input, model.shape));
  }

  command(change: Partial<Controls> = {}): string {
    return this.program.commandLine(this.model.input, { ...this.initial, ...change });
  }

  curve(change: Partial<Controls> = {}) {
    return this.program.curveOf(this.model, { ...this.initial, ...change });
  }

  figures(change: Partial<Controls> = {}): CheckFigures {
    const { answer: ask } = this.program;
    const found = JSON.parse(JSON.stringify(ask(this.model, { ...this.initial, ...change }))) as PageAnswer;
    if (found.kind === 'refused') throw new Error(found.reason);
    const { verdict } = found;
    return {
      verdict: verdict.kind,
      parts: verdict.estimate.parts.map(({ name, device, bytes }) => ({ name, device, bytes })),
      limits: verdict.limits.map(({ name, requiredBytes, budget }) => ({
        name,
        requiredBytes,
        budgetBytes: budget.bytes,
      })),
    };
  }
}

describe('the figures of a page', () => {
  test('are those of the check that wrote it, and of every other setting, run as the page prints it', async () => {
    const page = await Page.of('qwen-coder-32b', ...MAC);
    const changes: Partial<Controls>[] = [
      {},
      { ctxSize: 32768, slots: 2, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' },
      { slots: 4, kvUnified: true, ubatchSize: 2048, totalBytes: 64 * GIB },
      { totalBytes: 48 * GIB, inUseBytes: 12 * GIB, fraction: 0.9, ctxSize: 1000 },
    ];
    for (const change of changes) expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    expect(page.figures().verdict).toBe('does-not-fit');
    // 32 × 0.67 − 3.4 GiB
    expect(page.figures().limits[0]?.budgetBytes).toBe(Math.floor(32 * GIB * 0.67) - Math.floor(3.4 * GIB));
  });

  test('follow llama-server’s own options, which win on the command line', async () => {
    const page = await Page.of('llama-3.1-8b', ...MAC, '--extra-args', '-c 16384 -np 3 -ctk q8_0 --no-op-offload');
    expect(page.initial).toMatchObject({ ctxSize: 16384, slots: 3, cacheTypeK: 'q8_0' });
    for (const change of [
      {},
      { ctxSize: 4096, slots: null, cacheTypeK: 'f16' },
      { slots: 2, kvUnified: true },
    ] as const) {
      expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    }
  });

  test('hold a discrete GPU and the host against their own memory', async () => {
    const gpu = ['--accelerator', 'cuda', '--gpu-memory', '12Gi', '--system-memory', '64Gi', '--offline'];
    const page = await Page.of('gpt-oss-20b', ...gpu, '--cache-ram', '-1');
    for (const change of [{}, { gpuBytes: 8 * GIB, totalBytes: 32 * GIB }]) {
      expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    }
    expect(page.figures({ gpuBytes: 8 * GIB }).verdict).toBe('does-not-fit');
  });

  test('hold each of two cards against its own memory, whichever layers are offloaded, and the controls speak of both', async () => {
    const gpus = ['--accelerator', 'cuda', '--gpu-memory', '24Gi,12Gi', '--system-memory', '64Gi', '--offline'];
    const page = await Page.of('qwen-coder-32b', ...gpus);
    for (const change of [{}, { gpuLayers: 20 }, { gpuBytes: 16 * GIB }]) {
      expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    }
    expect(page.html).toContain('>Layers on 2 GPUs</label>');
    expect(page.html).toContain('>Memory of each GPU</label>');
  });

  test('say of layers that llama-server chose that it would choose others for another context', async () => {
    const gpu = ['--accelerator', 'cuda', '--gpu-memory', '8Gi', '--system-memory', '32Gi', '--offline', '-c', '8192'];
    const open = await Page.of('llama-3.1-8b', ...gpu, '--gpu-layers', 'auto');
    expect(open.html).toContain('are the 33 that llama-server chooses for the launch that was checked (--fit)');
    expect(open.html).toContain('with which up to 131072 tokens fit');
    expect((await Page.of('llama-3.1-8b', ...gpu, '--gpu-layers', '33')).html).not.toContain('llama-server chooses');
  });

  test('count the projector that is loaded beside the model', async () => {
    const page = await Page.of('gemma-3-4b', ...MAC, '--image-max-tokens', '1024');
    const plain = await Page.of('gemma-3-4b', ...MAC, '--no-mmproj');
    expect(page.figures().parts).toHaveLength(plain.figures().parts.length + 3);
    for (const change of [{}, { ctxSize: 4096 }]) {
      expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    }
  });

  test('follow another quantization, offload and a projector that is left out', async () => {
    const gpu = ['--accelerator', 'cuda', '--gpu-memory', '24Gi', '--system-memory', '64Gi', '--offline'];
    const page = await Page.of('gemma-3-4b', ...gpu);
    for (const change of [{ gpuLayers: 10 }, { quantization: 'Q3_K_M', projector: false }] as const) {
      expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    }
    expect(page.command({ quantization: 'Q3_K_M', projector: false })).toMatch(/--quantization Q3_K_M .*--no-mmproj/);
    const onGpu = (change: Partial<Controls>) =>
      page.figures(change).parts.find(({ name, device }) => name === 'weights-copy' && device === 'gpu')?.bytes ?? 0;
    expect(onGpu({ gpuLayers: 10 })).toBeLessThan(onGpu({}) / 2);
  });

  test('follow a draft, its tokens and adapters, whether flags name them or llama-server’s own options', async () => {
    const at = async (name: string, profile: string): Promise<string> => {
      await writeProfile(readProfile(join(PROFILES, profile)), join(folder.path, name));
      return join(folder.path, name);
    };
    const llama = await at('llama.gguf', 'llama-3.1-8b.Q4_K_M.json');
    const eagle = await at('eagle3.gguf', '../drafts/profiles/eagle3-llama-3.1-8b.F16.json');
    const lora = await at('lora.gguf', '../drafts/profiles/lora-llama-3.1-8b-r16-all.F16.json');
    const drafting = ['--spec-type', 'draft-eagle3', '--spec-draft-type-k', 'q8_0', '--spec-draft-ngl', '1'];
    const flagged = await Page.of(
      llama,
      ...MAC,
      '-c',
      '4096',
      '--spec-draft-model',
      eagle,
      ...drafting,
      '--lora',
      lora,
    );
    for (const change of [{}, { draftMax: 8 }, { draft: false }]) {
      expect(flagged.figures(change)).toEqual(await runPrinted(flagged.command(change)));
    }
    expect(flagged.html).toContain('id="draft"');
    const words = `--extra-args=-md ${eagle} --spec-type draft-eagle3 --lora ${lora}`;
    const own = await Page.of(llama, ...MAC, '-c', '4096', words);
    for (const change of [{}, { draftMax: 8 }]) {
      expect(own.figures(change)).toEqual(await runPrinted(own.command(change)));
    }
    // No flag takes back what llama-server's own options load.
    expect(own.html).not.toContain('id="draft"');
  });

  test('hold for an absolute budget', async () => {
    const page = await Page.of('gemma-3-4b', '--accelerator', 'metal', '--memory-budget', '5Gi', '--offline');
    for (const change of [{}, { budgetBytes: 3 * GIB }]) {
      expect(page.figures(change)).toEqual(await runPrinted(page.command(change)));
    }
  });

  test('name the longest context that fits: 256 tokens more do not', async () => {
    const page = await Page.of('llama-3.1-8b', ...MAC);
    const { largest = 0, points = [] } = page.curve() ?? {};
    expect(largest % 256).toBe(0);
    expect(page.figures({ ctxSize: largest }).verdict).not.toBe('does-not-fit');
    expect(page.figures({ ctxSize: largest + 256 }).verdict).toBe('does-not-fit');
    for (const { context, kind } of points) {
      expect(kind).toBe(page.figures({ ctxSize: context }).verdict);
      expect(kind !== 'does-not-fit').toBe(context <= largest);
    }
    expect(new Set(points.map(({ kind }) => kind))).toEqual(new Set(['fits', 'tight', 'does-not-fit']));
  });
});

describe('a page', () => {
  test('offers of a file on this machine the quantizations that lie beside it, and no others', async () => {
    const place = join(folder.path, 'beside');
    await mkdir(place);
    const spec = profileSpec(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json')));
    const { header, dataBytes } = buildGguf(spec);
    for (const name of ['llama-Q4_K_M.gguf', 'llama-Q3_K_M.gguf', 'other-Q8_0.gguf'])
      await writeSparseFile(join(place, name), header, header.length + dataBytes);
    const { html } = await Page.of(join(place, 'llama-Q4_K_M.gguf'), ...MAC, '-c', '4096');
    expect((pageData(html) as PageInput).quantizations).toEqual(['Q3_K_M']);
  });

  test('claims no fit where the command does not, because an option is not counted', async () => {
    const page = await Page.of('gemma-3-4b', ...MAC, '--extra-args', '-m other.gguf');
    expect(page.html).toMatch(
      /<p class="verdict unknown"><strong>Unknown<\/strong> <span>the model alone fits, but -m/,
    );
  });

  test('offers what the terminal offers for a refused launch, before anything runs', async () => {
    const { html } = await Page.of('llama-3.1-8b', ...MAC, '--ctx-size', '131072');
    const { stdout } = await askCli(['check-memory', 'llama-3.1-8b', ...MAC, '--ctx-size', '131072', '--json']);
    const { suggestions } = JSON.parse(stdout) as { suggestions: { flags: string[] }[] };
    expect(suggestions.length).toBeGreaterThan(1);
    const shown = [...html.matchAll(/<li><code>(.*?)<\/code>/g)].map(([, words]) => words);
    expect(shown).toEqual(suggestions.map(({ flags }) => flags.join(' ')));
    const fitting = await Page.of('llama-3.1-8b', ...MAC, '--ctx-size', '4096');
    expect(fitting.html).toContain('<div id="advice"></div>');
  });

  test('says what is needed and what may be, and where the budget ends beside what is in use', async () => {
    const { html } = await Page.of('llama-3.1-8b', ...MAC, '--ctx-size', '131072');
    const words = html
      .replace(/<(script|style).*?<\/\1>/gs, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ');
    // 32 × 0.67 is 21.4; its mark stands behind the 3.4 GB in use, which the budget leaves out
    expect(/Memory: needs .*? in use included/.exec(words)?.[0]).toBe(
      'Memory: needs 22.6GB, the budget is 18GB 32GB system × 0.67 fraction − 3.4GB in use 0 budget ends 21.4GB, in use included',
    );
    expect(/\d[GM]B of \d[^.]*/.exec(words)?.[0]).toBeUndefined();
    // Why the box cannot be changed while the number of slots is llama-server’s own
    expect(words).toContain('Slots share one KV cache (with “auto” they always do)');
  });

  test('can be read without running anything, and fetches nothing', async () => {
    const { html } = await Page.of('qwen-coder-32b', ...MAC);
    expect(html).toMatch(/<p class="verdict does-not-fit"><strong>Does not fit<\/strong> <span>3\.1GB too much/);
    expect(html).toMatch(/<th scope="row">weights<\/th><td title="\d+ bytes">18\.5GB<\/td>/);
    const markup = html.replace(/<script.*?<\/script>/gs, '');
    expect(markup).not.toMatch(/\b(src|href)="(?!data:)/);
    expect(markup).toContain("default-src 'none'");
    expect(html.match(/<script/g)).toHaveLength(2);
  });
});
