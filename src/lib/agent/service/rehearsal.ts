import { LlmkubeError } from '../../errors.js';
import { incompleteReport } from '../core/condition-text.js';
import type { FitReport } from '../core/memory-fit.js';
import type { Wanted } from '../core/wanted.js';
import { ledgerName } from '../machine/server-record.js';
import { type AdmissionHost, checkNow, locateFiles, requireRules, startHost } from './preparation.js';

const GOES_ON = 'what was started before goes on running';

/**
 * Whether a service could be started as it is wanted now, once the process that runs for it has ended: what that was promised, and holds
 * of it, is taken to be free. Nothing is fetched, ended or promised.
 * @returns why not, else undefined
 */
export async function rehearse(
  key: string,
  wanted: Wanted,
  given: AdmissionHost,
  signal: AbortSignal,
): Promise<FitReport | undefined> {
  const refused = await refusalOf(key, wanted, given, signal);
  return refused && { ...refused, message: `${refused.message}\n${GOES_ON}` };
}

async function refusalOf(
  key: string,
  wanted: Wanted,
  given: AdmissionHost,
  signal: AbortSignal,
): Promise<FitReport | undefined> {
  const { service } = wanted;
  const rules = requireRules(wanted, given);
  if ('reason' in rules) return rules;
  try {
    const host = await startHost(service, given);
    const { located } = await locateFiles(wanted, host, signal);
    return await checkNow(wanted, located, rules, host, ledgerName(key));
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return incompleteReport(error.message, error.options.suggestions ?? [], service.metadata.generation);
  }
}
