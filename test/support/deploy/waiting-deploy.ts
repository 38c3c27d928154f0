import type { LlmkubeError } from '../../../src/lib/errors.js';
import { deployToCluster, type DeployOptions, type DeployOutcome } from '../../../src/lib/kube/deploy/deploy.js';
import type { DeployPlan } from '../../../src/lib/kube/deploy/deploy-plan.js';
import { eventLine } from '../../../src/lib/report/text/deploy-text.js';
import { planFor } from './deploy-plans.js';
import { KubeApi } from '../kube/kube-api.js';
import type { JsonObject } from '../kube/kube-types.js';
import { writeKubeconfig } from '../kube/kubeconfig-file.js';

const LONG_MS = 20_000;

/** Deploys to a cluster of its own and keeps what a person would be shown. */
export class WaitingDeploy {
  readonly lines: string[] = [];

  private constructor(
    readonly api: KubeApi,
    readonly kubeconfig: string,
  ) {}

  static async start(): Promise<WaitingDeploy> {
    const api = await KubeApi.start();
    return new WaitingDeploy(api, await writeKubeconfig({ double: { server: api.url } }));
  }

  run(options: Partial<DeployOptions> = {}, changes: Partial<DeployPlan> = {}): Promise<DeployOutcome> {
    return deployToCluster(planFor(changes), {
      kubeconfig: this.kubeconfig,
      wait: true,
      timeoutMs: LONG_MS,
      retryMs: 10,
      onEvent: (event) => void this.lines.push(eventLine(event, false)),
      ...options,
    });
  }
}

export async function failureOf(deploying: Promise<DeployOutcome>): Promise<LlmkubeError> {
  return deploying.then(
    (outcome) => Promise.reject(new Error(`it ended as ${outcome.state}`)),
    (error: LlmkubeError) => error,
  );
}

export const serviceIs = (status: JsonObject) => ({ kind: 'InferenceService', status }) as const;
export const modelIs = (status: JsonObject) => ({ kind: 'Model', status }) as const;

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
