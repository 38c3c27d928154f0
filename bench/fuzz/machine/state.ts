import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { ServerRecords } from '../../../src/lib/agent/machine/server-record.js';
import { formatLedger, parseLedger, type LedgerEntry } from '../../../src/lib/guard/ledger/ledger.js';
import { readLedger } from '../../../src/lib/guard/ledger/ledger-store.js';
import { type LiveProcess, withReservations } from '../../../src/lib/guard/ledger/reservations.js';
import type { HostMemory } from '../../../src/lib/host/host-memory.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { compareLog } from '../../../src/lib/preflight/surveys/compare-log.js';
import { logText } from '../../../src/lib/report/text/log-text.js';
import { ledgerText } from '../../../src/lib/report/text/ledger-text.js';
import { combineLaunch } from '../../../src/lib/runtime/combine-launch.js';
import { parseServerLog } from '../../../src/lib/runtime/server-log.js';
import { profileHeader, type Profile } from '../../../test/support/models/profile.js';
import { printed, printedAsJson } from '../making/harmless.js';
import { PROFILES } from '../headers/headers.js';
import type { Random } from '../making/random.js';
import { Finding, type Subject } from '../subject.js';
import { ENTRY } from './ledger-entry.js';
import { changedValues } from '../making/values.js';

const LOGS = new URL('../../../../../test/fixtures/logs/', import.meta.url).pathname;
const FOLDER = mkdtempSync(join(tmpdir(), 'llmkube-fuzz-state-'));
const LOG_TEXTS = readdirSync(LOGS).map((name) => readFileSync(LOGS + name, 'utf8'));
const RECORDS = new ServerRecords(FOLDER, 'fuzz');
const RECORD = join(FOLDER, 'agents', 'fuzz', 'default.tiny.json');
const RECORD_TEXT = JSON.stringify({
  key: 'default/tiny',
  uid: 'u',
  fingerprint: 'f',
  file: '/usr/bin/llama-server',
  args: ['-m', '/models/tiny.gguf'],
  port: 8080,
  logFile: '/tmp/tiny.log',
  estimate: { parts: [], growth: [] },
  process: { pid: ENTRY.pid, startedAt: ENTRY.startedAt },
});
function smallProfile(): Profile {
  const found = PROFILES.find(({ id }) => id.startsWith('smollm2'));
  if (found === undefined) throw new Error('no profile of SmolLM2');
  return found;
}

const LOGGED = describeModel(profileHeader(smallProfile()));

/** The ledger of promised memory. */
export const ledgers: Subject = {
  name: 'ledgers',
  run: (random) => {
    const whole = formatLedger({ entries: [ENTRY, { ...ENTRY, pid: 4712, state: 'resident' }] });
    const text = changedText(whole, random);
    writeFileSync(join(FOLDER, 'ledger.json'), text);
    const { entries, warning, lostIn } = readLedger(FOLDER, 'leave');
    const parsed = parseLedger(text);
    if (typeof parsed === 'object') printed(ledgerText({ entries: parsed.entries, readAt: new Date(0) } as never));
    if (parsed === 'corrupt' && (warning === undefined || lostIn === undefined))
      throw new Finding('nobody hears of promises that cannot be read');
    const held = { anonymousBytes: random.pick([0, 2 ** 32, 2 ** 35]), lockedBytes: 2 ** 33, cgroup: '/a/b' };
    counted(
      random.pick(HOSTS),
      entries,
      entries.map((entry) => ({ ...held, ...entry })),
    );
  },
};

const GPU = {
  index: 0,
  name: 'A',
  totalBytes: 2 ** 34,
  usedBytes: 2 ** 33,
  heldBy: [{ pid: ENTRY.pid, bytes: 2 ** 33 }],
};
const MEMORY = { source: 'measured', totalBytes: 2 ** 36, inUseBytes: 2 ** 34, notes: [] } as const;
const HOSTS: readonly HostMemory[] = [
  {
    ...MEMORY,
    cgroups: [
      { path: '/a', limitBytes: 2 ** 35, inUseBytes: 2 ** 33 },
      { limitBytes: 2 ** 34, inUseBytes: 2 ** 33 },
    ],
  },
  { ...MEMORY, gpus: [GPU, { ...GPU, index: 1, uuid: 'GPU-bbbb-2' }] },
  { ...MEMORY, gpuWiredLimitBytes: 2 ** 35, gpuWired: { allocatedBytes: 2 ** 33, inUseBytes: 2 ** 33 } },
];

/** What is promised and what others use is together never less than what is in use. */
function counted(host: HostMemory, entries: readonly LedgerEntry[], processes: readonly LiveProcess[]): void {
  const beside = withReservations(host, entries, processes);
  const pools = (of: HostMemory) => [
    { inUse: of.inUseBytes, promised: of.promisedBytes },
    ...(of.cgroups ?? []).map((group) => ({ inUse: group.inUseBytes, promised: group.promisedBytes })),
    ...(of.gpus ?? []).map((gpu) => ({ inUse: gpu.usedBytes, promised: gpu.promisedBytes })),
    ...(of.gpuWired ? [{ inUse: of.gpuWired.inUseBytes, promised: of.gpuWired.promisedBytes }] : []),
  ];
  const known = pools(host);
  for (const [index, { inUse, promised = 0 }] of pools(beside).entries()) {
    if (!(inUse >= 0 && promised >= 0)) throw new Finding(`${inUse} bytes in use, ${promised} promised`);
    const before = known[index]?.inUse ?? 0;
    if (inUse + promised < before) throw new Finding(`${inUse} bytes in use and ${promised} promised, of ${before}`);
  }
}

/** The agent's records of the servers that it has started. */
export const serverRecords: Subject = {
  name: 'server records',
  run: (random) => {
    writeFileSync(RECORD, changedText(RECORD_TEXT, random));
    const find = (pid: number) => (random.int(2) === 0 ? undefined : { pid, startedAt: ENTRY.startedAt });
    for (const { key, args, logFile } of RECORDS.alive([ENTRY], find)) printed([key, ...args, logFile].join(' '));
  },
};

/** The log of a server, held against the estimate. */
export const serverLogs: Subject = {
  name: 'server logs',
  run: (random) => {
    let text = random.pick(LOG_TEXTS);
    for (let changes = 1 + random.int(4); changes > 0; changes--) text = random.damaged(text);
    if (random.int(3) === 0)
      text = text.replaceAll(/\d+(?=\D*$)/gm, (digits) => String(random.oddNumber(Number(digits))));
    const log = parseServerLog(text);
    const { launch } = combineLaunch({ accelerator: log.accelerator, defaults: log.launch, flags: {}, extraArgs: [] });
    const parts = compareLog(log, LOGGED, launch);
    printed(logText(parts, 'v0.5.0', new Chalk({ level: 0 })));
    printedAsJson({ launch, parts });
  },
};

function changedText(text: string, random: Random): string {
  return random.int(2) === 0 ? random.damaged(text) : JSON.stringify(changedValues(JSON.parse(text), random));
}
