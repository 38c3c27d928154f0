import { dump } from 'js-yaml';
import { API_GROUP, type AnyResource } from '../../kube/client/api.js';
import { escapedInJson, isHarmless } from '../../printable.js';

export type ManifestFormat = 'yaml' | 'json' | 'name';

/** Resources as kubectl prints and reads them, without what only the server keeps. */
export function formatManifests(resources: readonly AnyResource[], format: ManifestFormat): string {
  const manifests = resources.map(withoutBookkeeping);
  switch (format) {
    case 'name':
      return manifests.map(({ kind, metadata }) => resourceName(kind, metadata.name)).join('\n');
    case 'json':
      return escapedInJson(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, null, 2));
    case 'yaml':
      return manifests.map(yamlText).join('---\n').trimEnd();
  }
}

/** To the letter, but for what acts on a terminal, which is escaped: what is applied is the same. */
function yamlText(manifest: unknown): string {
  const style = { lineWidth: -1, noRefs: true };
  const plain = dump(manifest, style);
  if (isHarmless(plain)) return plain;
  return escapedInJson(dump(manifest, { ...style, forceQuotes: true, quoteStyle: 'double' }));
}

/** `model.inference.llmkube.dev/name`, as kubectl calls it. */
export function resourceName(kind: string, name: string): string {
  return `${kind.toLowerCase()}.${API_GROUP}/${name}`;
}

function withoutBookkeeping({ apiVersion, kind, metadata, spec }: AnyResource) {
  const { name, namespace, labels, annotations } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}
