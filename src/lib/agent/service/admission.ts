import { closeSync } from 'node:fs';
import { CheckIncompleteError, LlmkubeError } from '../../errors.js';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import { checkLaunch } from '../../guard/check-launch.js';
import { guardHere } from '../../guard/guard-machine.js';
import { guardedSpawn, type StartedProcess } from '../../guard/guarded-spawn.js';
import { refuseOptionFiles } from '../../guard/option-files.js';
import { advise } from '../../preflight/advice/advise.js';
import { headline } from '../../preflight/advice/headline.js';
import { Trials, type Room } from '../../preflight/advice/trials.js';
import { typedChanges } from '../../preflight/advice/typed-changes.js';
import { type CompleteCheck, isComplete } from '../../preflight/memory-check.js';
import { optionVariables } from '../../runtime/server-command.js';
import type { FitReport } from '../core/memory-fit.js';
import { machineRequest } from '../core/memory-rules.js';
import type { Wanted } from '../core/wanted.js';
import { leftVariables } from '../core/words-of-service.js';
import { incompleteReport, refusalReport, verdictReport, withLeft } from '../core/condition-text.js';
import { reservePort } from '../machine/free-port.js';
import { openLog } from '../machine/log-file.js';
import { ledgerName, type ServerRecord } from '../machine/server-record.js';
import {
  type AdmissionHost,
  checkNow,
  checkRequest,
  fetchFiles,
  locateFiles,
  named,
  requireRules,
  type Rules,
  type StartHost,
  startHost,
  wordsOf,
} from './preparation.js';
import type { LocatedModel } from '../store/model-store.js';

/** What is asked of this host. */
interface AskedService extends Pick<Wanted, 'service' | 'model'> {
  /** `namespace/name`. */
  readonly key: string;
  /** As `fingerprintOf` has it. */
  readonly fingerprint: string;
}

export type Admission =
  | {
      readonly kind: 'started';
      readonly report: FitReport;
      readonly started: StartedProcess;
      readonly record: ServerRecord;
      readonly check: CompleteCheck;
      readonly releasePort: () => void;
    }
  | { readonly kind: 'refused'; readonly report: FitReport };

/**
 * Everything between the wish for a service and its process: the rules, the files, the check before a download, the check of the
 * very command line that is then run. What stands in the way is a report, not an error.
 */
export async function admit(asked: AskedService, given: AdmissionHost, signal: AbortSignal): Promise<Admission> {
  const { service, model } = asked;
  const { generation } = service.metadata;
  const rules = requireRules(asked, given);
  if ('reason' in rules) return { kind: 'refused', report: rules };
  try {
    const host = await startHost(service, given);
    const files = await locateFiles(asked, host, signal);
    if (files.located.missing.length > 0) {
      const early = await checkNow(asked, files.located, rules, host);
      if (early !== undefined) return { kind: 'refused', report: early };
      await fetchFiles(files, model, host, signal);
    }
    return await start(asked, files.located, rules, host, signal);
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return { kind: 'refused', report: incompleteReport(error.message, error.options.suggestions ?? [], generation) };
  }
}

/** Memory enough for everything: what is asked is only what the launch takes. */
const BOUNDLESS: Room = {
  host: { source: 'given', totalBytes: Number.MAX_SAFE_INTEGER, inUseBytes: 0, notes: [] },
  policy: { absoluteBytes: Number.MAX_SAFE_INTEGER },
};

async function start(
  asked: AskedService,
  located: LocatedModel,
  rules: Rules,
  host: StartHost,
  signal: AbortSignal,
): Promise<Admission> {
  const { key, service, model, fingerprint } = asked;
  const { generation, uid = '' } = service.metadata;
  refuseOptionFiles(process.env);
  const { port, release } = await reservePort(host.listenHost);
  let keepsPort = false;
  try {
    const words = wordsOf(asked, located, host, port);
    const check = named(await checkLaunch(checkRequest(words, host), BOUNDLESS), model);
    if (!isComplete(check)) {
      return { kind: 'refused', report: refusalReport(check, generation) };
    }
    if (signal.aborted) throw new CheckIncompleteError('INTERRUPTED', 'it is not wanted any more');
    const logFile = host.records.logFile(key);
    const record: ServerRecord = {
      ...{ key, uid, fingerprint, port, logFile },
      file: host.server.path,
      args: words,
      estimate: { parts: check.estimate.parts, growth: check.estimate.growth },
    };
    host.records.write(record);
    const outcome = await spawnGuarded(key, record, check.estimate, rules, host);
    const room = { host: outcome.host, policy: rules.policy };
    const judged = { ...check, verdict: outcome.verdict, room };
    if (outcome.kind === 'refused') {
      host.records.remove(key);
      return { kind: 'refused', report: refusalReport({ ...judged, suggestions: adviceOn(check, room) }, generation) };
    }
    const { pid, startedAt } = outcome.started.entry;
    const running = { ...record, process: { pid, startedAt } };
    host.records.writeRunning(running);
    keepsPort = true;
    const report = withLeft(verdictReport(judged, generation, rules.modeFrom), leftVariables(service.spec));
    return { kind: 'started', report, started: outcome.started, record: running, check: judged, releasePort: release };
  } finally {
    if (!keepsPort) release();
  }
}

async function spawnGuarded(
  key: string,
  { file, args, logFile }: ServerRecord,
  estimate: MemoryEstimate,
  rules: Rules,
  host: StartHost,
) {
  const log = openLog(logFile);
  try {
    const launch = {
      ...{ estimate, accelerator: host.accelerator, policy: rules.policy, who: ledgerName(key) },
      program: { file, args, stdio: ['ignore', log, log] as const, detached: true, env: serverEnvironment(key, host) },
      mark: host.ownServers.mark(key),
      evenIfTooLarge: rules.mode === 'warn',
    };
    return await guardedSpawn(launch, guardHere(machineRequest(host, rules.policy), host.measure));
  } finally {
    closeSync(log);
  }
}

/** Without options of this process's own, which would change what was checked. */
function serverEnvironment(key: string, { ownServers, variables }: StartHost): NodeJS.ProcessEnv {
  const options = optionVariables(process.env);
  const kept = Object.entries(process.env).filter(([name]) => !Object.hasOwn(options, name));
  return { ...Object.fromEntries(kept), ...variables, ...ownServers.environment(key) };
}

/** What of the launch could be changed so that it fits; other quantizations are not looked for. */
function adviceOn({ shape, launch, extraWords }: CompleteCheck, room: Room): readonly string[] {
  const found = advise({ shape, launch, room, variants: [], trials: new Trials(room) });
  return headline(
    found.map((one) => ({ ...one, ...typedChanges(one.changes, extraWords) })),
    room.policy,
  );
}
