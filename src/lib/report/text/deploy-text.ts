import { cleanLine } from '../../kube/client/clean-text.js';
import type { DeployEvent } from '../../kube/deploy/deploy.js';
import type { Endpoint } from '../../kube/deploy/endpoint.js';
import { resourceName } from '../json/manifests.js';

/** One line for one thing that happened; `applied` as kubectl says it. */
export function eventLine(event: DeployEvent, dryRun: boolean): string {
  switch (event.type) {
    case 'applied':
      return `${resourceName(event.kind, event.name)} ${event.outcome}${dryRun ? ' (server dry run)' : ''}`;
    case 'phase':
      return `${event.kind}: ${cleanLine(event.phase)}${event.message ? ` (${event.message})` : ''}`;
    case 'retry':
      return `${event.message}; trying again`;
    case 'note':
      return `Note: ${event.message}`;
  }
}

/** The end of a deploy: where the service answers, and a call to copy. */
export function endpointText(name: string, { url, tryIt }: Endpoint): string {
  return [`${name} is ready at ${url}`, '', 'Try it:', ...tryIt.map((command) => `  ${command}`)].join('\n');
}

export function stoppedText(name: string): string {
  return `${name} is stopped: 0 replicas. Start it with: llmkube deploy ${name} --replicas 1`;
}
