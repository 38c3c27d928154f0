import { estimateLaunch, type LaunchFiles } from '../estimate/estimate-launch.js';
import type { MemoryEstimate } from '../estimate/memory-estimate.js';
import type { ModelShape } from '../model/model-shape.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import type { Room } from './advice/trials.js';
import { judge, limitsOf } from './judge.js';
import { onMachine } from './on-machine.js';
import { chosenOptions, serverChoice, type ServerChoice } from './server-choice.js';
import type { CompletedVerdict } from './verdict.js';

/** A launch held against a machine. */
export interface JudgedLaunch {
  /** With what llama-server chooses. */
  readonly launch: LaunchOptions;
  readonly choice?: ServerChoice;
  readonly estimate: MemoryEstimate;
  readonly verdict: CompletedVerdict;
}

/**
 * What llama-server chooses where a launch leaves something open, what it allocates then, and whether that fits.
 * @param isNamed context and layers will be named to llama-server, so that it has nothing to choose
 * @throws what `estimateLaunch` and `limitsOf` throw
 */
export function judgeLaunch(
  files: LaunchFiles & { readonly model: ModelShape },
  asked: LaunchOptions,
  { host, policy }: Pick<Room, 'host' | 'policy'>,
  isNamed = false,
): JudgedLaunch {
  const choice = isNamed ? undefined : serverChoice(files, onMachine(asked, host), host);
  const launch = choice === undefined ? asked : { ...asked, ...chosenOptions(choice) };
  const estimate = estimateLaunch(files, onMachine(launch, host));
  const verdict = judge(estimate, limitsOf(estimate, launch.accelerator, host, policy));
  return { launch, estimate, verdict, ...(choice && { choice }) };
}
