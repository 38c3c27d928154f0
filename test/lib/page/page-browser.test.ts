/// <reference lib="dom" />
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { type BrowserOptions, CHROMIUM, freshContext, startChromium } from '../../support/page/chromium.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { contrastsOf, nameOf } from '../../support/page/in-page.js';
import { runPrinted } from '../../support/page/page-file.js';
import { askCli } from '../../support/cli-session.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { PROFILES } from '../../oracle/cases.js';

/** A browser on a busy machine. */
jest.setTimeout(180_000);

const describeInChromium = CHROMIUM === undefined ? describe.skip : describe;
const NAME = `a page in Chromium${CHROMIUM === undefined ? ' (skipped: Chromium is not installed)' : ''}`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let address: string;
let browser: Browser | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  address = await writePage('page.html');
});

/** Its address. */
async function writePage(name: string, ...args: string[]): Promise<string> {
  const path = join(folder.path, name);
  const mac = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--offline'];
  await askCli(['check-memory', 'llama-3.1-8b', ...mac, ...args, '--html', path]);
  return pathToFileURL(path).href;
}

afterAll(async () => {
  await browser?.close();
  await folder.remove();
});

/** What a control shows beside its label. */
async function shownBeside(page: Page, id: string): Promise<string | null> {
  return page.locator(`#${id}-text`).textContent();
}

interface Opened {
  readonly page: Page;
  /** Everything that went wrong, and every address but the page's own that was asked for. */
  readonly trouble: readonly string[];
}

async function inBrowser(
  { address: wanted = address, ...options }: BrowserOptions & { readonly address?: string },
  use: (opened: Opened) => Promise<void>,
): Promise<void> {
  browser ??= await startChromium();
  const context = await freshContext(browser, options);
  try {
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on('pageerror', ({ message }) => trouble.push(message));
    page.on('console', (message) => trouble.push(message.text()));
    page.on('request', (request) => {
      if (!wanted.startsWith(request.url().replace(/#.*$/, '')) && !request.url().startsWith('data:'))
        trouble.push(request.url());
    });
    await page.goto(wanted);
    await use({ page, trouble });
    expect(trouble).toEqual([]);
  } finally {
    await context.close();
  }
}

async function settled(page: Page): Promise<void> {
  await page.waitForSelector('html[data-ready="true"]');
  await page.waitForSelector('#chart[aria-busy="false"]', { state: 'attached' });
}

/** As a person sees it. */
async function shown(page: Page) {
  const sizes = await page
    .locator('#parts tr:not(.total) td[title$=" bytes"]')
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title') ?? ''));
  return {
    verdict: await page.locator('#verdict .verdict').getAttribute('class'),
    bytes: sizes.map((title) => Number.parseInt(title, 10)),
    command: (await page.locator('#command').textContent()) ?? '',
  };
}

describeInChromium(NAME, () => {
  test('recomputes everything as controls move, and its figures are those of the command it prints', async () => {
    await inBrowser({}, async ({ page }) => {
      await settled(page);
      const atFirst = await shown(page);
      await page.locator('#context-exact').fill('8192');
      await page.locator('#slots').selectOption('2');
      await page.locator('#unified').uncheck();
      await page.locator('#cache-k').selectOption('q8_0');
      await page.locator('#cache-v').selectOption('q4_0');
      await page.locator('#ubatch').selectOption('1024');
      await page.locator('#memory').focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('#in-use').focus();
      await page.keyboard.press('ArrowLeft');
      await page.locator('#fraction').focus();
      await page.keyboard.press('ArrowRight');
      await settled(page);
      const moved = await shown(page);
      expect(moved.command).toContain(
        '--ctx-size 8192 --parallel 2 --cache-type-k q8_0 --cache-type-v q4_0 --ubatch-size 1024',
      );
      // from 32 to 36 GB, from 3.4 to 3.3, from the usual 0.67 to 0.68
      expect(moved.command).toContain('--system-memory 36Gi --in-use 3.3Gi --memory-fraction 0.68');
      for (const { verdict, bytes, command } of [atFirst, moved]) {
        const cli = await runPrinted(command);
        expect(bytes).toEqual(cli.parts.map((part) => part.bytes));
        expect(verdict).toBe(`verdict ${cli.verdict}`);
      }
      await page.locator('#reset').click();
      expect(await shown(page)).toEqual(atFirst);
    });
  });

  test('keeps what was changed in its address, and copies the command', async () => {
    await inBrowser({ address: `${address}#ctx-size=4096&memory-fraction=7` }, async ({ page }) => {
      await settled(page);
      expect((await shown(page)).command).toContain('--ctx-size 4096');
      await page.locator('#slots').selectOption('2');
      await settled(page);
      expect(page.url()).toBe(`${address}#ctx-size=4096&parallel=2`);
      await page.locator('#copy').click();
      await page.locator('#copied:not(:empty)').waitFor();
      expect(await page.locator('#copied').textContent()).toMatch(/^(Copied|Selected: copy it with the keyboard)$/);
      await page.locator('#slots').selectOption('3');
      expect(await page.locator('#copied').textContent()).toBe('');
      await page.locator('#reset').click();
      expect(page.url()).toBe(address);
    });
  });

  test('takes another quantization, layers off the GPU and the projector away, and keeps them in its address', async () => {
    const path = join(folder.path, 'offload.html');
    const card = ['--accelerator', 'cuda', '--gpu-memory', '12Gi', '--system-memory', '32Gi', '--in-use', '4Gi'];
    await askCli(['check-memory', 'gemma-3-12b', '-c', '8192', ...card, '--offline', '--html', path]);
    const own = pathToFileURL(path).href;
    await inBrowser({ address: own }, async ({ page }) => {
      await settled(page);
      const atFirst = await shown(page);
      await page.locator('#quantization').selectOption('Q4_K_M');
      await page.locator('#projector').uncheck();
      await page.locator('#gpu-layers').focus();
      for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowLeft');
      await settled(page);
      const changed = await shown(page);
      // 48 layers and the output head, less three.
      for (const words of ['--quantization Q4_K_M', '--gpu-layers 46', '--no-mmproj']) {
        expect(changed.command).toContain(words);
      }
      const cli = await runPrinted(changed.command);
      expect(changed.bytes).toEqual(cli.parts.map((part) => part.bytes));
      expect(changed.verdict).toBe(`verdict ${cli.verdict}`);
      expect(page.url()).toContain('quantization=Q4_K_M');
      await page.reload();
      await settled(page);
      expect(await shown(page)).toEqual(changed);
      await page.locator('#reset').click();
      expect(await shown(page)).toEqual(atFirst);
    });
  });

  test('follows its budget, its draft, the slider of the context and another address, and keeps open what was opened', async () => {
    const at = async (name: string, profile: string): Promise<string> => {
      await writeProfile(readProfile(join(PROFILES, profile)), join(folder.path, name));
      return join(folder.path, name);
    };
    const llama = await at('llama.gguf', 'llama-3.1-8b.Q4_K_M.json');
    const eagle = await at('eagle3.gguf', '../drafts/profiles/eagle3-llama-3.1-8b.F16.json');
    const drafting = ['--spec-draft-model', eagle, '--spec-type', 'draft-eagle3'];
    const path = join(folder.path, 'drafting.html');
    const check = [
      'check-memory',
      llama,
      '-c',
      '4096',
      '--accelerator',
      'metal',
      '--memory-budget',
      '20Gi',
      ...drafting,
    ];
    await askCli([...check, '--html', path]);
    await inBrowser({ address: pathToFileURL(path).href }, async ({ page }) => {
      await settled(page);
      const text = async () => (await shown(page)).command;
      await page.locator('#chart summary').click();
      await page.locator('#budget').fill('12.5');
      await page.locator('#draft-max').fill('8');
      await page.locator('#context').focus();
      await page.keyboard.press('ArrowRight');
      await settled(page);
      const tokens = Number.parseInt((await page.locator('#context').getAttribute('aria-valuetext')) ?? '', 10);
      expect(tokens).toBeGreaterThan(4096);
      for (const words of [`--ctx-size ${tokens}`, '--memory-budget 12.5Gi', '--spec-draft-n-max 8', eagle]) {
        expect(await text()).toContain(words);
      }
      expect(await shownBeside(page, 'context')).toBe(`${tokens} tokens`);
      expect(await page.locator('#context-exact').inputValue()).toBe(String(tokens));
      expect(await page.locator('#chart details').getAttribute('open')).not.toBeNull();
      const moved = await shown(page);
      expect(moved.bytes).toEqual((await runPrinted(moved.command)).parts.map((part) => part.bytes));
      await page.locator('#draft').uncheck();
      await settled(page);
      expect(await text()).not.toContain(eagle);
      await page.evaluate(() => (location.hash = '#ctx-size=2048'));
      await page.locator('#command', { hasText: '--ctx-size 2048' }).waitFor();
      expect(await text()).toContain(`--memory-budget 20Gi`);
      expect(await page.locator('#context-exact').inputValue()).toBe('2048');
      expect(await page.locator('#budget').inputValue()).toBe('20');
    });
  });

  test('shows the memory of each card while nobody has changed it', async () => {
    const path = join(folder.path, 'cards.html');
    const cards = ['--accelerator', 'cuda', '--gpu-memory', '24Gi,12Gi', '--system-memory', '64Gi', '--offline'];
    await askCli(['check-memory', 'qwen-coder-32b', ...cards, '--html', path]);
    await inBrowser({ address: pathToFileURL(path).href }, async ({ page }) => {
      await settled(page);
      expect(await shownBeside(page, 'gpu')).toBe('24GB, 12GB');
      await page.locator('#gpu').focus();
      await page.keyboard.press('ArrowLeft');
      await settled(page);
      const each = await shownBeside(page, 'gpu');
      expect(each).toMatch(/^\d+GB$/);
      expect((await shown(page)).command).toContain(`--gpu-memory ${each?.replace('GB', 'Gi')}`);
    });
  });

  test('says why llama-server refuses a launch, and what holds again once it does not', async () => {
    const plain = await writePage('plain.html', '--no-flash-attn');
    await inBrowser({ address: plain }, async ({ page }) => {
      await settled(page);
      const before = await shown(page);
      await page.locator('#cache-v').selectOption('q8_0');
      await settled(page);
      expect(await page.locator('#verdict').textContent()).toMatch(/^Refused .*q8_0 V cache without flash attention/);
      expect(await page.locator('#parts').isVisible()).toBe(false);
      expect(await page.locator('#chart').isVisible()).toBe(false);
      await page.locator('#cache-v').selectOption('f16');
      await settled(page);
      expect(await shown(page)).toEqual(before);
      expect((await page.locator('#chart svg').boundingBox())?.width).toBeGreaterThan(500);
    });
  });

  test('can be read on a telephone and on a desk, by day and by night', async () => {
    await inBrowser({}, async ({ page }) => {
      await settled(page);
      for (const width of [400, 1200]) {
        await page.setViewportSize({ width, height: 1600 });
        await page.waitForFunction((wanted) => document.documentElement.scrollWidth === wanted, width);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await settled(page);
          const contrasts = await page.evaluate(contrastsOf);
          expect(contrasts.length).toBeGreaterThan(20);
          expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
        }
      }
    });
  });

  test('has a name for every control and every picture', async () => {
    await inBrowser({}, async ({ page }) => {
      await settled(page);
      for (const control of await page.locator('input, select, button').all()) {
        expect(await control.evaluate(nameOf)).not.toBe('');
      }
      const pictures = await page.locator('[role="img"]').all();
      expect(pictures).toHaveLength(3);
      for (const picture of pictures) expect(await picture.evaluate(nameOf)).toMatch(/[Bb]udget .*\d+(\.\d+)?GB/);
      expect(await page.locator('#context').getAttribute('aria-valuetext')).toMatch(/^\d+ tokens$/);
    });
  });

  test('shows the answer without scripts too, and no controls that would do nothing', async () => {
    await inBrowser({ javaScriptEnabled: false }, async ({ page }) => {
      expect(await page.locator('#verdict').textContent()).toMatch(/Does not fit/);
      expect(await page.locator('#chart svg').isVisible()).toBe(true);
      expect(await page.locator('#controls').isVisible()).toBe(false);
      // What is left has the room of what is not there.
      const [verdict, results] = [
        await page.locator('#verdict').boundingBox(),
        await page.locator('#results').boundingBox(),
      ];
      expect(results?.width).toBe(verdict?.width);
    });
  });
});
