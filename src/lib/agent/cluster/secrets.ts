import { CORE, objectPath, type ObjectCalls } from '../../kube/client/object-calls.js';

/** A Secret's keys and what they hold, as text; undefined where there is none of that name. @throws ClusterError */
export async function readSecret(
  objects: Pick<ObjectCalls, 'get'>,
  namespace: string,
  name: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  const secret = await objects.get(objectPath(CORE, namespace, 'secrets', name));
  const data = Object.entries((secret?.data ?? {}) as Readonly<Record<string, unknown>>);
  return secret && new Map(data.map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString('utf8')]));
}
