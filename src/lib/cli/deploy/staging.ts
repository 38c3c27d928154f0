import { UsageError } from '../../errors.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDownloaded, listsBefore } from '../../runtime/options/draft-options.js';
import { type DeployCheck, wasMade } from './deploy-check.js';
import { checkPlan } from '../../kube/deploy/deploy-plan.js';
import { deployName } from './deploy-name.js';
import { deployedPlace, refuseElsewhere, requireReachable, type StagedFiles } from './deploy-source.js';

/**
 * What a deploy of llama-server refuses of a launch whatever the cluster is like.
 * @throws UsageError BAD_SOURCE, PROJECTOR_ELSEWHERE, DRAFT_ELSEWHERE, DEPLOY_FILE_NOT_STAGED, and what `checkPlan` throws
 */
export function requireDeployable(check: DeployCheck): void {
  const files = stagedFiles(check, 'llamacpp');
  const source = requireReachable(check.source);
  refuseElsewhere(source, files);
  const launch = withoutOwnWords(check);
  refuseUnstaged(launch, files.draft);
  checkPlan({
    name: deployName(check.model, launch.accelerator),
    namespace: 'default',
    source: deployedPlace(source),
    launch,
    check: { mode: 'enforce', version: '' },
  });
}

/**
 * LLMKube stages no adapter, and a draft only from the model's repository; llama-server can fetch another one by itself.
 * @throws UsageError DEPLOY_FILE_NOT_STAGED
 */
export function refuseUnstaged(
  { accelerator, draft, adapters = [], controlVectors = [] }: LaunchOptions,
  draftModel: string | undefined,
): void {
  const isLoadable = draft === undefined || draftModel !== undefined || isDownloaded(draft);
  const adapted = adapters.length + controlVectors.length > 0;
  if (!adapted && isLoadable) return;
  throw new UsageError(
    'DEPLOY_FILE_NOT_STAGED',
    adapted
      ? 'LLMKube stages no adapter for a service; put it into the image and name it in --extra-args'
      : accelerator === 'metal'
        ? 'an agent on a Mac is given the file of the model alone; name a repository that llama-server fetches the draft from as hf:OWNER/REPO[:QUANT], or a file of the Mac in --extra-args'
        : "LLMKube stages this draft for no service; name a file of the model's own repository as hf:OWNER/REPO/FILE.gguf, a repository as hf:OWNER/REPO[:QUANT], or a file of the image in --extra-args",
  );
}

/**
 * The files to stage with the model. One that is named in the user's own arguments lies in the container already, and a
 * draft that is a whole repository is for llama-server to fetch.
 */
export function stagedFiles(check: DeployCheck, runtime: string): StagedFiles {
  const { launch, extraOptions, entry } = check;
  const isAutomatic = runtime === 'llamacpp' && launch.mmprojAuto !== false;
  const found = wasMade(check) ? check.projector?.source : isAutomatic ? entry?.mmproj : undefined;
  const { draft } = launch;
  const isStaged =
    draft !== undefined && extraOptions.draft === undefined && draft.startsWith('hf:') && !isDownloaded(draft);
  return {
    mmproj: extraOptions.mmproj === undefined ? (launch.mmproj ?? found) : undefined,
    draft: isStaged && launch.accelerator !== 'metal' ? draft : undefined,
  };
}

/**
 * What the user's own llama-server arguments say is said there, and needs no field; only the mode decides more than the
 * command line.
 */
export function withoutOwnWords({ launch, extraOptions: options }: DeployCheck): LaunchOptions {
  const said = Object.keys(options).filter((key) => key !== 'mode' && key !== 'tensorOverrides');
  const rest = Object.entries(launch).filter(([key]) => !said.includes(key));
  // Overrides add up, flags first.
  const own = launch.tensorOverrides?.slice(0, launch.tensorOverrides.length - (options.tensorOverrides?.length ?? 0));
  return {
    ...Object.fromEntries(rest),
    ...(own && { tensorOverrides: own }),
    ...listsBefore(launch, options),
    accelerator: launch.accelerator,
  };
}
