import { CheckIncompleteError } from '../../errors.js';
import type { EnvVar, InferenceServiceResource } from '../../kube/client/api.js';
import type { ObjectCalls } from '../../kube/client/object-calls.js';
import { shown } from '../../printable.js';
import { readSecret } from '../cluster/secrets.js';
import { withReferences } from '../core/variable-references.js';
import { neededVariables, passedVariables } from '../core/words-of-service.js';

type SecretKey = NonNullable<NonNullable<EnvVar['valueFrom']>['secretKeyRef']>;

/**
 * What of `spec.env` a server of this host is started with, `$(NAME)` in it replaced as Kubernetes does. A variable that an agent does not pass on changes nothing; it is not for
 * the cluster to say what programs of this host load and where they look.
 * @throws CheckIncompleteError SECRET_MISSING; @throws ClusterError for a Secret that cannot be read
 */
export async function serviceEnvironment(
  { spec, metadata }: InferenceServiceResource,
  objects: Pick<ObjectCalls, 'get'>,
): Promise<Readonly<Record<string, string>>> {
  const known: Record<string, string> = {};
  for (const { name, value, valueFrom } of neededVariables(spec)) {
    const key = valueFrom?.secretKeyRef;
    if (key === undefined)
      known[name] = withReferences(value, (earlier) => (Object.hasOwn(known, earlier) ? known[earlier] : undefined));
    else Object.assign(known, await fromSecret(name, key, metadata.namespace, objects));
  }
  const passed = new Set(passedVariables(spec).map(({ name }) => name));
  return Object.fromEntries(Object.entries(known).filter(([name]) => passed.has(name)));
}

async function fromSecret(
  variable: string,
  { name, key, optional }: SecretKey,
  namespace: string,
  objects: Pick<ObjectCalls, 'get'>,
): Promise<Readonly<Record<string, string>>> {
  const value = (await readSecret(objects, namespace, name))?.get(key);
  if (value !== undefined) return { [variable]: value };
  if (optional === true) return {};
  const what = `the Secret "${shown(name)}" in ${namespace} with the key "${shown(key)}" for ${shown(variable)}`;
  throw new CheckIncompleteError('SECRET_MISSING', `there is not ${what}`, {
    suggestions: ['create it, or correct spec.env of the service'],
  });
}
