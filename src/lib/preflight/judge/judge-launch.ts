import { estimateLaunch, type LaunchFiles } from '../../estimate/estimate-launch.js';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Room } from '../advice/trials.js';
import { judge, limitsOf } from './judge.js';
import { onMachine } from './on-machine.js';
import { chosenOptions, serverChoice, type ServerChoice } from '../server-choice.js';
import type { CompletedVerdict } from './verdict.js';

type Files = LaunchFiles & { readonly model: ModelShape };

/** A launch as llama-server makes it on a machine. */
export interface SizedLaunch {
  /** With what llama-server chooses where something is open. */
  readonly launch: LaunchOptions;
  readonly choice?: ServerChoice;
  readonly estimate: MemoryEstimate;
}

/**
 * @param asked the launch as it is asked for
 * @param isNamed context and layers will be named to llama-server, so that it has nothing to choose
 * @throws what `estimateLaunch` throws
 */
export function sizeLaunch(files: Files, asked: LaunchOptions, { host }: Room, isNamed = false): SizedLaunch {
  const choice = isNamed ? undefined : serverChoice(files, onMachine(asked, host), host);
  const launch = choice === undefined ? asked : { ...asked, ...chosenOptions(choice) };
  return { launch, ...(choice && { choice }), estimate: estimateLaunch(files, onMachine(launch, host)) };
}

/** The same, and the verdict on it. */
export function judgeLaunch(
  files: Files,
  asked: LaunchOptions,
  room: Room,
  isNamed = false,
): SizedLaunch & { verdict: CompletedVerdict } {
  const sized = sizeLaunch(files, asked, room, isNamed);
  const { launch, estimate } = sized;
  return { ...sized, verdict: judge(estimate, limitsOf(estimate, launch.accelerator, room.host, room.policy)) };
}
