import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { ServerRecords } from '../../src/lib/agent/machine/server-record.js';
import { formatLedger, parseLedger, type LedgerEntry } from '../../src/lib/guard/ledger/ledger.js';
import { readLedger } from '../../src/lib/guard/ledger/ledger-store.js';
import { withReservations } from '../../src/lib/guard/ledger/reservations.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import { compareLog } from '../../src/lib/preflight/surveys/compare-log.js';
import { logText } from '../../src/lib/report/text/log-text.js';
import { ledgerText } from '../../src/lib/report/text/ledger-text.js';
import { combineLaunch } from '../../src/lib/runtime/combine-launch.js';
import { parseServerLog } from '../../src/lib/runtime/server-log.js';
import { profileHeader, type Profile } from '../../test/support/models/profile.js';
import { printed, printedAsJson } from './harmless.js';
import { PROFILES } from './headers.js';
import type { Random } from './random.js';
import { Finding, type Subject } from './subject.js';
import { changedValues } from './values.js';

const LOGS = new URL('../../../../test/fixtures/logs/', import.meta.url).pathname;
const FOLDER = mkdtempSync(join(tmpdir(), 'llmkube-fuzz-state-'));
const LOG_TEXTS = readdirSync(LOGS).map((name) => readFileSync(LOGS + name, 'utf8'));
const ENTRY: LedgerEntry = {
  pid: 4711,
  startedAt: '81734',
  who: 'service default/tiny',
  argvHash: 'a'.repeat(64),
  requirement: { hostBytes: 2 ** 32, mappedBytes: 2 ** 31, gpuBytes: [2 ** 30, 0] },
  decidedAt: '2026-02-03T04:05:06Z',
  state: 'promised',
};

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
    const text = changedText(formatLedger({ entries: [ENTRY, { ...ENTRY, pid: 4712, state: 'resident' }] }), random);
    writeFileSync(join(FOLDER, 'ledger.json'), text);
    const { entries } = readLedger(FOLDER, 'leave');
    const parsed = parseLedger(text);
    if (typeof parsed === 'object') printed(ledgerText({ entries: parsed.entries, readAt: new Date(0) } as never));
    const host = { totalBytes: 2 ** 36, availableBytes: 2 ** 35, inUseBytes: 2 ** 34, notes: [] };
    const counted = withReservations(host as never, entries, entries);
    if (!(counted.inUseBytes >= 0)) throw new Finding(`${counted.inUseBytes} bytes in use`);
  },
};

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
