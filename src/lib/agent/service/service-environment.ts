import { CheckIncompleteError } from '../../errors.js';
import type { EnvVar, InferenceServiceResource } from '../../kube/client/api.js';
import type { ObjectCalls } from '../../kube/client/object-calls.js';
import { shown } from '../../printable.js';
import { passedVariables } from '../core/words-of-service.js';

type SecretKey = NonNullable<NonNullable<EnvVar['valueFrom']>['secretKeyRef']>;

/**
 * What of `spec.env` a server of this host is started with. A variable that an agent does not pass on changes nothing; it is not for
 * the cluster to say what programs of this host load and where they look.
 * @throws CheckIncompleteError SECRET_MISSING; @throws ClusterError for a Secret that cannot be read
 */
export async function serviceEnvironment(
  { spec, metadata }: InferenceServiceResource,
  objects: Pick<ObjectCalls, 'get'>,
): Promise<Readonly<Record<string, string>>> {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of passedVariables(spec)) {
    const key = valueFrom?.secretKeyRef;
    if (key === undefined) env[name] = value;
    else Object.assign(env, await fromSecret(name, key, metadata.namespace, objects));
  }
  return env;
}

async function fromSecret(
  variable: string,
  { name, key, optional }: SecretKey,
  namespace: string,
  objects: Pick<ObjectCalls, 'get'>,
): Promise<Readonly<Record<string, string>>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  const secret = await objects.get(path);
  const value = (secret?.data as Readonly<Record<string, unknown>> | undefined)?.[key];
  if (typeof value === 'string') return { [variable]: Buffer.from(value, 'base64').toString('utf8') };
  if (optional === true) return {};
  const what = `the Secret "${shown(name)}" in ${namespace} with the key "${shown(key)}" for ${shown(variable)}`;
  throw new CheckIncompleteError('SECRET_MISSING', `there is not ${what}`, {
    suggestions: ['create it, or correct spec.env of the service'],
  });
}
