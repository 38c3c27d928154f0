import type { ChildProcess } from 'node:child_process';
import { totalBytes } from '../../estimate/memory-estimate.js';
import { promiseOf, type MemoryPromise } from '../../guard/ledger/promise.js';
import type { ProcessIdentity } from '../../host/processes/processes.js';
import type { CompleteCheck } from '../../preflight/memory-check.js';
import type { EvictionCandidate } from '../core/eviction.js';
import type { OwnProcess } from '../machine/own-servers.js';
import { ServerProcess, type ServerEvents } from '../machine/server-process.js';
import { hostIn, ledgerName, type RunningRecord, type ServerRecord } from '../machine/server-record.js';
import type { Admission } from './admission.js';
import type { RunnerHost } from './runner-host.js';

/** A process of a service, and what it was started with. */
export interface Running {
  readonly record: ServerRecord;
  readonly server: ServerProcess;
  readonly promise: MemoryPromise;
  /** No record tells what it was started for: it is only there to be ended. */
  readonly isStray?: boolean;
  /** Until it was held against what the server allocated: it has the whole header in it. */
  check?: CompleteCheck | undefined;
  /** It was ended, loading or not, for another reason than its own. */
  dismissed?: boolean;
}

/** What it would be for others to have the memory of what runs; undefined where nothing does, or not for long. */
export function candidate(
  key: string,
  running: Running | undefined,
  spec: EvictionCandidate['spec'] | undefined,
): EvictionCandidate | undefined {
  if (running === undefined || spec === undefined || running.server.state === 'stopping') return undefined;
  const { record, server } = running;
  return { key, spec, requiredBytes: totalBytes(record.estimate), startedAtMs: server.startedAtMs };
}

const NO_EVENTS: ServerEvents = { onChange: () => undefined, onEnd: () => undefined };

type Started = Pick<Extract<Admission, { readonly kind: 'started' }>, 'started' | 'record' | 'check'>;
type Found = Pick<ServerRecord, 'key' | 'port' | 'logFile' | 'args'>;

/** Watches a server of this host. @param child unset for one that this agent has not started */
function watchServer(
  { key, port, logFile, args }: Found,
  { pid, startedAt }: ProcessIdentity,
  host: RunnerHost,
  events: ServerEvents,
  { child, group = pid }: { readonly child?: ChildProcess; readonly group?: number } = {},
): ServerProcess {
  const { startupMs, find, glance, ownServers } = host;
  const rest = () => ownServers.running().filter((one) => one.key === key && one.group === group);
  const target = { identity: { pid, startedAt }, ...(child && { child }), group, rest };
  return new ServerProcess(
    { ...target, host: hostIn({ args }) ?? host.listenHost, port, logFile, startupMs },
    find,
    glance,
    events,
  );
}

/** What the ledger promises to a server that another agent has started. */
function promiseTo(key: string, process: ProcessIdentity, { find, stateFolder }: RunnerHost): MemoryPromise {
  return promiseOf({ ...process, who: ledgerName(key) }, { find, openState: () => stateFolder });
}

/** One that this agent has just started. */
export function startedServer({ started, record, check }: Started, host: RunnerHost, events: ServerEvents): Running {
  const { child, entry } = started;
  return { record, server: watchServer(record, entry, host, events, { child }), promise: started, check };
}

/** One that an earlier agent has started. */
export function adoptedServer(
  found: RunningRecord,
  host: RunnerHost,
  events: (promise: MemoryPromise) => ServerEvents,
): Running {
  // One that listens where nobody is sent, or is sent now, is another one than what is wanted.
  const record = hostIn(found) === host.listenHost ? found : { ...found, fingerprint: '' };
  const promise = promiseTo(record.key, record.process, host);
  return { record, server: watchServer(record, record.process, host, events(promise)), promise };
}

/** The process of each group to be watched: the one that began it, where that still runs. */
export function leaders(strays: readonly OwnProcess[]): readonly OwnProcess[] {
  const groups = [...new Set(strays.map(({ group }) => group))];
  return groups.flatMap((group) => {
    const members = strays.filter((one) => one.group === group);
    return members.find(({ pid }) => pid === group) ?? members[0] ?? [];
  });
}

/** One of which nothing is written. */
export function strayServer(
  { key, pid, startedAt, group }: OwnProcess,
  host: RunnerHost,
  events: (promise: MemoryPromise) => ServerEvents | undefined,
): Running {
  const process = { pid, startedAt };
  const nothing = { uid: '', fingerprint: '', file: '', args: [], port: 0, estimate: { parts: [], growth: [] } };
  const record = { ...nothing, key, logFile: host.records.logFile(key), process };
  const promise = promiseTo(key, process, host);
  return {
    record,
    server: watchServer(record, process, host, events(promise) ?? NO_EVENTS, { group }),
    promise,
    isStray: true,
  };
}
