import { addedUp, refuseForeignDevices } from './options/device-options.js';
import { withoutReplacedDraft } from './options/draft-options.js';
import { llamaCpp } from './llama-cpp.js';
import type { KvOverride } from './options/kv-overrides.js';
import type { Accelerator, LaunchOptions } from './launch-options.js';
import { parseServerArguments, splitWords, type ServerOptionRemark } from './server-arguments.js';
import type { LaunchPatch } from './options/server-options.js';
import { SERVER_DEFAULTS } from './server-defaults.js';

/** Where a launch comes from; a later field wins over an earlier one, as on llama-server's command line. */
export interface LaunchSources {
  readonly accelerator: Accelerator;
  readonly cpuArch?: 'arm' | 'x86' | undefined;
  /** What the catalogue says. */
  readonly defaults: LaunchPatch;
  /** What the user's flags say. */
  readonly flags: LaunchPatch;
  /** llama-server's own options; a text may hold several words. */
  readonly extraArgs: readonly string[];
}

export interface CombinedLaunch {
  readonly launch: LaunchOptions;
  readonly extraWords: readonly string[];
  /** What those say. */
  readonly extraOptions: LaunchPatch;
  readonly remarks: readonly ServerOptionRemark[];
  readonly overrides: readonly KvOverride[];
}

/** @throws UsageError INVALID_SERVER_OPTION */
export function combineLaunch(sources: LaunchSources): CombinedLaunch {
  const extraWords = sources.extraArgs.flatMap(splitWords);
  const { accelerator, cpuArch, defaults, flags } = sources;
  const { options: extraOptions, ...parsed } = parseServerArguments(extraWords, llamaCpp(flags.llamaCpp));
  const { remarks, overrides } = parsed;
  const own = withoutReplacedDraft(defaults, [flags, extraOptions]);
  const { deviceNames = {}, ...combined } = addedUp({ ...own, ...flags }, extraOptions);
  refuseForeignDevices(deviceNames, accelerator);
  const patch = finished(combined);
  const launch = { accelerator, ...(cpuArch && { cpuArch }), ...patch };
  return { launch, extraWords, extraOptions, remarks, overrides };
}

/** Slots below 1 mean "auto"; a context per slot sizes the context when nothing else does. */
function finished({ ctxPerSlot, parallel, ...rest }: LaunchPatch): Omit<LaunchOptions, 'accelerator'> {
  const slots = parallel !== undefined && parallel > 0 ? { parallel } : {};
  const sized = ctxPerSlot !== undefined && ctxPerSlot > 0 && rest.ctxSize === undefined;
  return { ...rest, ...slots, ...(sized && { ctxSize: ctxPerSlot * (slots.parallel ?? SERVER_DEFAULTS.slots) }) };
}
