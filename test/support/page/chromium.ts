import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';

const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is installed, if it is. */
export const CHROMIUM = PROGRAMS.find((path) => path !== undefined && path !== '' && existsSync(path));

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly javaScriptEnabled?: boolean;
}

/** Headless, with a profile of its own, and without anything that it looks up by itself. */
export async function startChromium(options: BrowserOptions = {}): Promise<Browser> {
  const { width = 1200, height = 1600, colorScheme = 'light', javaScriptEnabled = true } = options;
  const profile = await mkdtemp(join(tmpdir(), 'llmkube-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    headless: true,
    viewport: { width, height },
    colorScheme,
    javaScriptEnabled,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  return {
    context,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
