import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import { fingerprint } from '../../guard/fingerprint.js';
import { parseBoundedJson } from '../../bounded-json.js';
import { isObject } from '../../is-object.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import { asStateFailure, makeFolder } from '../../guard/ledger/state-folder.js';
import type { LedgerEntry } from '../../guard/ledger/ledger.js';
import { sameProcess, type FindProcess, type ProcessIdentity } from '../../host/processes/processes.js';

/** What this host has started for a service, written down before it runs, so that a later agent finds it. */
export interface ServerRecord {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  /** Of what it was started for. */
  readonly fingerprint: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly logFile: string;
  readonly estimate: Pick<MemoryEstimate, 'parts' | 'growth'>;
  /** Absent until it runs. */
  readonly process?: ProcessIdentity;
}

/** Of one that runs. */
export interface RunningRecord extends ServerRecord {
  readonly process: ProcessIdentity;
}

/** The records of one agent, a file each, in its state folder. */
export class ServerRecords {
  readonly #folder: string;

  /** @throws Error where the folder cannot be made */
  constructor(stateFolder: string, agentId: string) {
    this.#folder = join(stateFolder, 'agents', encodeURIComponent(agentId));
    makeFolder(this.#folder);
  }

  logFile(key: string): string {
    return logFileOf(this.#folder, key);
  }

  /** @throws CheckIncompleteError STATE_FOLDER: what is not written down would not be found again */
  write(record: ServerRecord): void {
    const file = join(this.#folder, `${fileName(record.key)}.json`);
    try {
      writeOwnFile(file, JSON.stringify(record));
    } catch (error) {
      throw asStateFailure(this.#folder, error);
    }
  }

  /** With its process, which runs: what cannot be written now is found again by the ledger. */
  writeRunning(record: RunningRecord): void {
    try {
      this.write(record);
    } catch {
      // As when an agent is killed between the start and the record.
    }
  }

  remove(key: string): void {
    rmSync(join(this.#folder, `${fileName(key)}.json`), { force: true });
  }

  /**
   * Those whose process still runs, told by number and start time, from the record or, when the agent was killed between the
   * start and the record, from the ledger by the hash of the command line.
   */
  alive(entries: readonly LedgerEntry[], find: FindProcess): readonly RunningRecord[] {
    return this.#all().flatMap((record) => {
      const hash = fingerprint(JSON.stringify([record.file, ...record.args]));
      const ledgered = entries.filter(
        ({ argvHash, who, kept }) => kept !== true && argvHash === hash && who === ledgerName(record.key),
      );
      const process = [record.process, ...ledgered].find(
        (candidate) => candidate?.pid !== undefined && sameProcess(find(candidate.pid), candidate),
      );
      if (process === undefined) return [];
      return [{ ...record, process: { pid: process.pid, startedAt: process.startedAt } }];
    });
  }

  #all(): readonly ServerRecord[] {
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.json'));
    return names.flatMap((name) => {
      try {
        const record = parseBoundedJson(readOwnFile(join(this.#folder, name))) as Partial<ServerRecord> | null;
        return isRecord(record) && name === `${fileName(record.key)}.json` ? [record] : [];
      } catch {
        return [];
      }
    });
  }
}

/** As it was written; one that somebody changed is none. */
function isRecord(record: Partial<ServerRecord> | null): record is ServerRecord {
  const { key, uid, fingerprint: of, file, args, port, logFile, estimate } = record ?? {};
  return (
    [key, uid, of, file, logFile].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(port) &&
    Array.isArray(args) &&
    args.every((word) => typeof word === 'string') &&
    Array.isArray(estimate?.parts) &&
    estimate.parts.every(isPart)
  );
}

function isPart(part: unknown): boolean {
  if (!isObject(part)) return false;
  const { name, of, device, bytes } = part;
  return [name, of, device].every((text) => typeof text === 'string') && Number.isSafeInteger(bytes);
}

/** The address that it listens on. */
export function hostIn({ args }: Pick<ServerRecord, 'args'>): string | undefined {
  const at = args.indexOf('--host');
  return at < 0 ? undefined : args[at + 1];
}

/** The log of a service's server. @param folder of its agent; @param key `namespace/name` */
export function logFileOf(folder: string, key: string): string {
  return join(folder, `${fileName(key)}.log`);
}

/** How `llmkube ledger` calls a service's process. */
export function ledgerName(key: string): string {
  return `service ${key}`;
}

function fileName(key: string): string {
  return encodeURIComponent(key.replace('/', '.'));
}
