import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { LlmkubeError } from '../../../src/lib/errors.js';
import { type ModelSource, parseModelSource } from '../../../src/lib/source/model-source.js';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { FILE_SERVER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { temporaryFolder } from '../../support/sparse-file.js';

type Mode = keyof typeof FILE_SERVER_MODES;

/** Of what has no end of its own. */
const TOTAL_MS = 600;
/** For servers whose answer is refused for what it is, however slowly a busy machine reads it. */
const PATIENT_MS = 30_000;

/** What a file server says, and what a hub says of its list, where it is not the same. */
const CASES: readonly (readonly [Mode, file: RegExp, list?: RegExp])[] = [
  ['never answers', /not finished within 0\.6 s/],
  ['switches protocols', /answers 101, another protocol/],
  ['sends no HTTP', /broke|not finished within/],
  ['hangs up', /broke|not finished within/],
  ['says half of its first line', /not finished within 0\.6 s/],
  ['stalls in the middle', /whole file|not a GGUF|not finished/, /not finished within 0\.6 s/],
  ['breaks off in a chunk', /whole file|broke|not a GGUF/, /broke/],
  ['leaves out the last chunk', /whole file|broke|not a GGUF/, /broke|is not a list|no GGUF|no repository/],
  ['sends a chunk of no length', /whole file|broke|not a GGUF/, /broke/],
  ['says two lengths', /broke/],
  ['packs what is not packed', /compressed|whole file/, /broke/],
  ['packs nothing at all', /compressed|whole file|not a GGUF/, /broke/],
  ['packs sixty-four megabytes into sixty-four thousand', /compressed|whole file/, /longer than/],
  ['sends headers without end', /too long|broke|not finished within/],
  ['says that nothing changed', /answers 304/],
  ['drips bytes', /not finished within 0\.6 s/, /not JSON|answers 206|not finished within 0\.6 s/],
  ['drips headers', /not finished within 0\.6 s/],
  ['drips the body of a redirect', /not finished within 0\.6 s/],
  ['redirects for ever', /more than 5 times/],
  ['redirects to a file', /redirects to a file: address/],
  ['redirects to an address of its own making', /redirect/],
  ['sends another part', /another part/, /not JSON|answers 206|broke|not finished/],
  ['sends a part of a file without length', /not a GGUF file/, /not JSON|answers 206|is not a list/],
  ['sends a part that ends before it begins', /another part/, /not JSON|answers 206|broke/],
  ['sends a file of 2^63 bytes', /part|bytes/, /not JSON|answers 206/],
  ['sends the whole file without end', /sends the whole file/, /longer than|too long|not finished/],
  ['sends nesting instead of a list', /whole file|web page|not a GGUF/, /is not JSON/],
  ['sends a list of a million nothings', /whole file|web page|not a GGUF/, /is not JSON/],
  ['sends a list without end', /whole file|web page|not a GGUF/, /longer than|too long/],
  ['asks to come back in a year', /answers 429|busy|not finished within/],
];

const patienceFor = ({ source }: RegExp): number => (source.includes('not finished') ? TOTAL_MS : PATIENT_MS);

describe('a server that', () => {
  let server: HostileServer | undefined;
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    cache = await temporaryFolder();
  });
  afterEach(() => Promise.all([server?.close(), cache.remove()]));

  async function refusal(mode: Mode, source: ModelSource, readingMs: number): Promise<string> {
    const env = { HF_ENDPOINT: server?.url, MODELSCOPE_DOMAIN: server?.url };
    const retry = { attempts: 2, firstDelayMs: 1 };
    const outcome: unknown = await readModelHeader(source, {
      cacheDir: cache.path,
      env,
      retry,
      readingMs,
    }).catch((error: unknown) => error);
    expect([mode, outcome]).toEqual([mode, expect.any(LlmkubeError)]);
    const { message, exitCode } = outcome as LlmkubeError;
    expect(exitCode).toBe(3);
    expect(message).not.toMatch(/\p{Cc}|\p{Cf}|offline/u);
    expect(message.length).toBeLessThan(600);
    expect(await readdir(cache.path)).toEqual([]);
    return message;
  }

  test('is hostile in any way is tried', () => {
    expect(CASES.map(([mode]) => mode).sort()).toEqual(Object.keys(FILE_SERVER_MODES).sort());
  });

  test.each(CASES)('%s is no model', async (mode, file, list = file) => {
    server = await HostileServer.start(FILE_SERVER_MODES[mode]);
    for (const name of [`${server.url}/m.gguf`, 'hf:a/b/m.gguf', 'ms:a/b/m.gguf'])
      expect([name, await refusal(mode, parseModelSource(name), patienceFor(file))]).toEqual([
        name,
        expect.stringMatching(file),
      ]);
    for (const name of ['hf:a/b', 'ms:a/b', `ollama:${server.url}/library/tiny`])
      expect([name, await refusal(mode, parseModelSource(name), patienceFor(list))]).toEqual([
        name,
        expect.stringMatching(list),
      ]);
  });
});
