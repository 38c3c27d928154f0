import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimOf, SeenHeartbeats } from '../../../src/lib/agent/core/claims.js';
import { desiredOf } from '../../../src/lib/agent/core/desired.js';
import { evictionTarget } from '../../../src/lib/agent/core/eviction.js';
import { conditionOf, fitCondition, isTransition, saidBefore, timed } from '../../../src/lib/agent/core/memory-fit.js';
import { memoryRules } from '../../../src/lib/agent/core/memory-rules.js';
import { attemptOf, fingerprintOf } from '../../../src/lib/agent/core/wanted.js';
import { leftVariables, reservedWord, serverWords } from '../../../src/lib/agent/core/words-of-service.js';
import { serviceEnvironment } from '../../../src/lib/agent/service/service-environment.js';
import { modelFiles } from '../../../src/lib/agent/store/model-files.js';
import { LlmkubeError } from '../../../src/lib/errors.js';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { InferenceServiceResource, ModelResource } from '../../../src/lib/kube/client/api.js';
import { MEMORY_FIT } from '../../../src/lib/kube/host-record.js';
import { combineLaunch } from '../../../src/lib/runtime/combine-launch.js';
import { readServerCommand } from '../../../src/lib/runtime/server-command.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { hubFrom } from '../../../src/lib/source/hub/hub-urls.js';
import { profileHeader } from '../../../test/support/models/profile.js';
import { PROFILES } from '../headers/headers.js';
import { holdWeights } from '../headers/judge.js';
import { printed, printedAsJson } from '../making/harmless.js';
import { changedValues } from '../making/values.js';
import { Finding, type Subject } from '../subject.js';
import { MODEL, SERVICE } from './cluster-objects.js';
import { accepted } from './cluster.js';

const STORE = mkdtempSync(join(tmpdir(), 'llmkube-fuzz-agent-'));
const HEADERS = PROFILES.filter(({ id }) => id.startsWith('smollm2') || id.startsWith('olmoe')).map(profileHeader);
const TINY = HEADERS.map((header) => ({ header, shape: describeModel(header) }));
const ARGUMENTS = [
  ['--override-tensor', '((a+)+)+!=CPU'],
  ['--n-cpu-moe', '2147483647'],
  ['--ctx-size', '0'],
  ['--model', '/etc/passwd'],
  ['--lora', '../x'],
  ['--api-key', 'secret'],
];

/** A service and a Model as the API server lets anybody write them, and all that an agent makes of them before it starts something. */
export const agentWishes: Subject = {
  name: 'wishes for an agent',
  run: async (random) => {
    const spec = { ...SERVICE.spec, extraArgs: random.pick(ARGUMENTS), priority: 'low' };
    const env = [{ name: 'LLAMA_API_KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }, ...spec.env];
    const claimed = { ...SERVICE, spec: { ...spec, env } };
    const [one, other] = [random.int(3), random.int(3)];
    const service = await accepted('InferenceService', one === 0 ? claimed : changedValues(claimed, random));
    const model = await accepted('Model', other === 0 ? MODEL : changedValues(MODEL, random));
    await decide(service, model, random.pick(TINY));
  },
};

async function decide(
  service: InferenceServiceResource,
  model: ModelResource,
  { header, shape }: (typeof TINY)[number],
): Promise<void> {
  const there = <T>(object: T) => ({ kind: 'there', object }) as const;
  const desired = desiredOf(there(service), there(model), { id: 'mac', accelerator: 'metal' });
  const heartbeats = new SeenHeartbeats();
  claimOf(service, 'mac', heartbeats.since('default/tiny', service, 1), 0, 2);
  const rules = memoryRules(service, model, { policy: {}, mode: 'enforce', modeFrom: 'nobody' });
  if (rules.kind === 'unreadable') printed(rules.problem);
  const report = saidBefore(service);
  const before = conditionOf(service, MEMORY_FIT);
  if (report !== undefined)
    printedAsJson([timed(fitCondition(report), before, new Date(0)), isTransition(before, report)]);
  const candidate = { key: 'default/tiny', spec: service.spec, requiredBytes: 1, startedAtMs: 1 };
  evictionTarget([candidate, { ...candidate, key: 'default/other' }]);
  printedAsJson([leftVariables(service.spec), attemptOf({ service, model }), fingerprintOf({ service, model })]);
  await serviceEnvironment(service, { get: async () => ({ data: { k: 'c2VjcmV0' } }) as never });
  if (desired.kind !== 'run' || reservedWord(service.spec.extraArgs) !== undefined) return;
  const rulesOfStore = { folder: STORE, allowedRoots: [] };
  const signed = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'secret' };
  const files = await modelFiles(model, rulesOfStore, hubFrom({}), { env: signed, offline: true }, undefined).catch(
    (error: unknown) => {
      if (error instanceof LlmkubeError) return undefined;
      throw error;
    },
  );
  const outside = files?.remote.find(({ path }) => !path.startsWith(`${STORE}/`) || path.includes('/../'));
  if (outside !== undefined) throw new Finding(`${outside.path} is outside of the store`);
  const placement = { modelPath: '/m.gguf', alias: 'm', host: '127.0.0.1', port: 1, accelerator: 'metal' } as const;
  const words = serverWords(service.spec, model.spec, { ...placement, known: new Set(['--load-mode', '--spec-type']) });
  const command = readServerCommand(words, {}, '/');
  if (command.kind !== 'loads') return;
  if (command.source !== '/m.gguf') throw new Finding(`${command.source} would be loaded`);
  const { launch } = combineLaunch({ accelerator: 'metal', defaults: {}, flags: command.patch, extraArgs: [] });
  holdWeights(header, shape, launch, estimateMemory(shape, launch));
}
