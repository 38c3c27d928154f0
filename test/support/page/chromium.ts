import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is installed, if it is. */
export const CHROMIUM = PROGRAMS.find((path) => path !== undefined && path !== '' && existsSync(path));

export interface BrowserOptions {
  readonly javaScriptEnabled?: boolean;
}

/** Headless, and without anything that it looks up by itself. Starting it takes longer than most of what is asked of it. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/** With a profile of its own, which nothing before it has left anything in. */
export async function freshContext(browser: Browser, options: BrowserOptions = {}): Promise<BrowserContext> {
  return browser.newContext({ viewport: { width: 1200, height: 1600 }, colorScheme: 'light', ...options });
}
