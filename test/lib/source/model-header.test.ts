import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { requireEntry } from '../../../src/lib/catalog/catalog.js';
import { loadCatalog } from '../../../src/lib/catalog/load-catalog.js';
import { readHeaderFor, type HeaderRequest } from '../../../src/lib/source/model-header.js';
import { PROFILES } from '../../oracle/cases.js';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../support/models/profile.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

let server: RangeServer;
let cache: { path: string; remove: () => Promise<void> };
let phi: HeaderRequest;

beforeEach(async () => {
  server = await RangeServer.start();
  cache = await temporaryFolder();
  const entry = requireEntry(await loadCatalog(), 'phi-4');
  phi = { source: entry.source, entry, quantization: entry.quantization };
});

afterEach(async () => {
  await server.close();
  await cache.remove();
});

function serve(): void {
  const { header, dataBytes } = buildGguf(profileSpec(readProfile(join(PROFILES, 'phi-4.Q4_K_M.json'))));
  server.serve(new URL(phi.source).pathname, {
    start: header,
    size: header.length + dataBytes,
    etag: '"one"',
    headers: { 'x-repo-commit': COMMIT },
  });
}

const options = () => ({ cacheDir: cache.path, env: { HF_ENDPOINT: server.origin } });

describe('the header of a model of the catalogue', () => {
  test('is the live one where that can be had, and comes from the cache offline afterwards', async () => {
    serve();
    expect(await readHeaderFor(phi, options())).toMatchObject({ origin: 'live', derived: false, notes: [] });
    expect(await readHeaderFor(phi, { ...options(), offline: true })).toMatchObject({ origin: 'cache', notes: [] });
  });

  test('is the bundled one when the source cannot be reached, and says so', async () => {
    const { origin } = server;
    await server.close();
    const { notes, ...header } = await readHeaderFor(phi, { env: { HF_ENDPOINT: origin } });
    expect(header).toMatchObject({ origin: 'bundled', derived: true });
    expect(notes).toEqual([expect.stringMatching(/^source not read \(.+\): the bundled header .* was used$/)]);
    server = await RangeServer.start();
  });

  test('is the bundled one offline, without asking anybody', async () => {
    serve();
    expect(await readHeaderFor(phi, { ...options(), offline: true })).toMatchObject({ origin: 'bundled' });
    expect(server.requests).toEqual([]);
  });

  test('is read without leaving a timer behind, which would keep the program', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await readHeaderFor(phi, { ...options(), offline: true });
    expect(timers()).toBe(before);
  });

  test('is not the bundled one when the source says that there is no such file', async () => {
    await expect(readHeaderFor(phi, options())).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  test('is not the bundled one for an entry of a user’s own catalogue', async () => {
    const own = { ...requireEntry(await loadCatalog(), 'phi-4'), bundled: false };
    const reading = readHeaderFor({ ...phi, entry: own }, { ...options(), offline: true });
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_OFFLINE' });
  });
});
