import type { Attempts } from './attempts.js';
import { incompleteReport, startFailure } from '../core/condition-text.js';
import type { FitReport } from '../core/memory-fit.js';
import { attemptOf, type Wanted } from '../core/wanted.js';
import { rehearse } from './rehearsal.js';
import type { RunnerHost } from './runner-host.js';

/** What is to take the place of a service's process: it is only ended for what has room then. */
export class Replacement {
  /** Fingerprint of what is known to have room. */
  approved: string | undefined;
  /** What was said of what runs, while it is said why nothing takes its place. */
  #before: FitReport | undefined;

  constructor(
    private readonly key: string,
    private readonly host: RunnerHost,
    private readonly attempts: Attempts,
  ) {}

  /** @returns what is to be said now. @param said of what runs */
  async rehearse(
    run: Wanted,
    wanted: string,
    said: FitReport | undefined,
    signal: AbortSignal,
  ): Promise<FitReport | undefined> {
    const refused = await rehearse(this.key, run, this.host, signal).catch((error: unknown) =>
      incompleteReport(startFailure(error), [], run.service.metadata.generation),
    );
    if (signal.aborted) return said;
    this.approved = refused === undefined ? wanted : undefined;
    if (refused === undefined) return said;
    const { reason, message } = refused;
    this.host.log.info('checked', { service: this.key, reason, message });
    this.attempts.refused(attemptOf(run), reason);
    this.#before ??= said;
    return refused;
  }

  /** What runs is what is wanted, again. @returns what is to be said of it */
  notNeeded(said: FitReport): FitReport {
    const before = this.#before ?? said;
    this.forget();
    return before;
  }

  /** What ran is gone. */
  forget(): void {
    this.approved = undefined;
    this.#before = undefined;
  }
}
