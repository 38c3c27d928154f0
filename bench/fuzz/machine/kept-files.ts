import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abandonedServers } from '../../../src/lib/agent/machine/abandoned.js';
import { isHeld, takeAgentName } from '../../../src/lib/agent/machine/sole-agent.js';
import { isStamped, refusedBefore, rememberRefused, stamp } from '../../../src/lib/agent/store/file-digest.js';
import { sweepStore } from '../../../src/lib/agent/store/sweep.js';
import { withLock } from '../../../src/lib/guard/ledger/lock.js';
import { askedVersion, parseServerVersion } from '../../../src/lib/host/installed-server.js';
import { ofPs } from '../../../src/lib/host/processes/marked-processes.js';
import { HeaderCache } from '../../../src/lib/source/cache/header-cache.js';
import { profileHeader } from '../../../test/support/models/profile.js';
import { PROFILES } from '../headers/headers.js';
import { printed, printedAsJson } from '../making/harmless.js';
import type { Random } from '../making/random.js';
import { changedValues } from '../making/values.js';
import { Finding, type Subject } from '../subject.js';
import { ENTRY } from './ledger-entry.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'llmkube-fuzz-kept-'));
const SELF = { pid: process.pid, startedAt: 'now' };
const GONE = { pid: 2 ** 22 + 1, startedAt: 'then' };
const find = (pid: number) => (pid === SELF.pid ? SELF : undefined);

/** Who has the turn, who has an agent's name: what is left of processes that have ended holds nobody up. */
export const holders: Subject = {
  name: 'locks and names of agents',
  run: async (random) => {
    const folder = join(FOLDER, 'state');
    rmSync(folder, { recursive: true, force: true });
    const agent = join(folder, 'agents', 'mac');
    for (const path of [
      join(folder, 'lock'),
      agent,
      join(folder, 'agents', random.pick(['%', '%2', 'x\u001b', '..a'])),
    ])
      mkdirSync(path, { recursive: true });
    const turn = random.pick([
      'turn.1',
      'turn.7',
      'turn.00',
      'turn.x',
      'turn.1e3',
      `turn.${'9'.repeat(16)}`,
      'claim.1.x',
      'claim.',
    ]);
    writeFileSync(join(folder, 'lock', turn), changedText(JSON.stringify(GONE), random));
    writeFileSync(join(agent, 'agent'), changedText(JSON.stringify({ ...GONE, instance: 'i' }), random));
    printed(await takeAgentName(folder, 'mac', find));
    if (!isHeld(folder, 'mac', find)) throw new Finding('the name that was taken is not held');
    printedAsJson(abandonedServers(folder, 'mac', [ENTRY], find));
    await withLock(join(folder, 'lock'), { self: SELF, find }, async () => undefined);
  },
};

/** What is known of files in the agent's store, which is only believed as it was written. */
export const storeMarks: Subject = {
  name: 'marks of the store',
  run: (random) => {
    const root = join(FOLDER, 'store');
    rmSync(root, { recursive: true, force: true });
    const own = join(root, 'default', 'tiny', '0123456789ab');
    mkdirSync(own, { recursive: true });
    const file = join(own, 'm.gguf');
    writeFileSync(file, 'GGUF');
    const digest = 'ab'.repeat(32);
    stamp(file, digest);
    rememberRefused(file, { digest, etag: '"e"' });
    const marks = [`${file}.sha256`, `${file}.refused`];
    for (const mark of marks) writeFileSync(mark, random.damaged(readFileSync(mark, 'utf8')));
    if (isStamped(file, 'cd'.repeat(32))) throw new Finding('a digest is believed that nobody wrote');
    const refused = refusedBefore(file);
    if (refused !== undefined) printedAsJson(refused);
    const nowMs = 1_800_000_000_000;
    const rules = { folder: root, namespace: undefined, models: [], nowMs };
    sweepStore({ ...rules, inUse: [] });
    for (const name of readdirSync(own).filter((one) => one.startsWith('.') || !one.startsWith('m.gguf')))
      writeFileSync(join(own, name), random.damaged(readFileSync(join(own, name), 'utf8')));
    const removed = sweepStore({ ...rules, nowMs: nowMs + random.int(1000), inUse: [file] });
    if (removed.length > 0) throw new Finding('a file that is in use was removed');
  },
};

/** Entries of the cache as they lie on disk: as they were written, or not there. */
export const cacheFiles: Subject = {
  name: 'cache files',
  run: async (random) => {
    const folder = join(FOLDER, 'cache');
    rmSync(folder, { recursive: true, force: true });
    const cache = new HeaderCache(folder);
    const header = profileHeader(random.pick(PROFILES));
    const resolution = { commit: 'a'.repeat(40), path: 'a/m.gguf' };
    await cache.keepHeader('header', { header, etag: '"e"' });
    await cache.keepResolution('resolution', resolution);
    const inside = join(folder, 'headers-v1');
    const names = readdirSync(inside);
    const [one = '', other = ''] = random.int(2) === 0 ? names : names.toReversed();
    const text = readFileSync(join(inside, one), 'utf8');
    const changed = random.pick([
      random.damaged(text),
      readFileSync(join(inside, other), 'utf8'),
      text.slice(0, random.int(100)),
    ]);
    writeFileSync(join(inside, one), changed);
    const [found, meant] = [await cache.header('header'), await cache.resolution('resolution')];
    if (changed !== text && found !== undefined && meant !== undefined)
      throw new Finding('a changed entry is believed');
    if (found !== undefined && found.header.tensors.length !== header.tensors.length)
      throw new Finding('another header');
    if (meant !== undefined && meant.path !== resolution.path) throw new Finding('another file');
  },
};

/** What llama-server and `ps` print, and what is kept of it. */
export const programWords: Subject = {
  name: 'words of programs',
  run: async (random) => {
    const versions = [
      'version: 9607 (6471e3c0)\n',
      'version: 0.6.0-dev (build 11434, commit abc)\n',
      'version: 0.8.0 (build 1, commit a)',
    ];
    const words = random.damaged(random.pick(versions));
    printed(String(parseServerVersion(words)));
    const cacheFile = join(FOLDER, 'llama-server.json');
    const stamped = { size: 1, mtimeMs: 2 };
    const key = `/bin/llama-server ${stamped.size} ${stamped.mtimeMs}`;
    writeFileSync(cacheFile, changedText(JSON.stringify({ [key]: 'v0.8.0' }), random));
    utimesSync(cacheFile, 1, 1);
    const asked = await askedVersion('/bin/llama-server', {
      env: {},
      cacheFile,
      look: async () => stamped,
      run: async () => words,
    });
    if (asked !== undefined && !/^(b\d{1,7}|v\d{1,4}\.\d{1,4}\.\d{1,4}(-dev)?)$/.test(asked))
      throw new Finding(`the version ${asked}`);
    const line = '  512   511 /bin/llama-server -m x LLMKUBE_SERVER=mac/default/tiny PATH=/bin\n';
    const processes = ofPs('LLMKUBE_SERVER', random.damaged(line.repeat(1 + random.int(50))));
    for (const { pid, group } of processes) {
      if (!Number.isSafeInteger(pid + group)) throw new Finding(`process ${pid} of ${group}`);
    }
    printedAsJson(processes);
  },
};

function changedText(text: string, random: Random): string {
  return random.int(2) === 0 ? random.damaged(text) : JSON.stringify(changedValues(JSON.parse(text), random));
}
