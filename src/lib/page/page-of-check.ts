import type { BudgetPolicy } from '../budget/budget-policy.js';
import { additionsOf } from '../estimate/estimate-launch.js';
import { toDigest } from '../gguf/digest.js';
import type { GgufHeader } from '../gguf/header.js';
import type { HostMemory } from '../host/host-memory.js';
import { withKvOverrides } from '../model/kv-overrides.js';
import { type MemoryCheck, uncountedRemark } from '../preflight/check-memory.js';
import { parseServerArguments } from '../runtime/server-arguments.js';
import { safeJson } from '../printable.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { redactedSource } from '../source/redacted-url.js';
import { type PageInput, withoutInfinity } from './page-input.js';

/** What a check was made from, beside what it says. */
export interface CheckMaterial {
  readonly header: GgufHeader;
  readonly host: HostMemory;
  readonly policy: BudgetPolicy;
  readonly modelOptions: readonly string[];
}

export function pageInput(check: MemoryCheck, { header, host, policy, modelOptions }: CheckMaterial): PageInput {
  const { model, launch, extraWords, verdict, estimate } = check;
  const { remarks, overrides } = parseServerArguments(extraWords);
  const ofEstimate = estimate?.notes ?? [];
  return {
    model: redactedSource(model),
    modelOptions,
    source: redactedSource(check.source),
    digest: toDigest(withKvOverrides(header, overrides)),
    launch: withoutInfinity(withoutSecrets(launch)),
    beside: additionsOf({ ...check.room?.beside }, launch, estimate?.resolved.nCtxSeq ?? 0),
    extraWords: safeJson(extraWords) as readonly string[],
    host,
    policy,
    programs: check.programs ?? [],
    notes: verdict.warnings.filter((warning) => !ofEstimate.includes(warning)),
    uncounted: uncountedRemark(remarks, launch.accelerator) ?? drafting(check) ?? null,
  };
}

/** The page works out the model and its projector only. */
function drafting({ launch, named }: MemoryCheck): string | undefined {
  if (!named?.draft && !named?.adapters.length && !launch.specTypes?.some((type) => type !== 'none')) return undefined;
  return 'this page does not work out drafts and adapters: check them with llmkube check-memory';
}

function withoutSecrets({ mmproj, draft, adapters, ...launch }: LaunchOptions): LaunchOptions {
  return {
    ...launch,
    ...(mmproj !== undefined && { mmproj: redactedSource(mmproj) }),
    ...(draft !== undefined && { draft: redactedSource(draft) }),
    ...(adapters && { adapters: adapters.map(redactedSource) }),
  };
}
