import type { KubeSchemas } from './kube-schema.js';
import type { JsonObject } from './kube-types.js';

const GROUP = 'inference.llmkube.dev';
const VERSION = 'v1alpha1';
const GROUP_VERSION = `${GROUP}/${VERSION}`;
const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/**
 * An OpenAPI v2 document in protobuf without definitions, `{swagger: "2.0", info: {title, version}, paths: {}}`: older
 * kubectl insists on one before it applies, and leaves validation to the server for kinds that are not in it.
 */
export const EMPTY_OPEN_API_V2 = Buffer.concat([
  Buffer.from([0x0a, 3]),
  Buffer.from('2.0'),
  Buffer.from([0x12, 6, 0x0a, 1]),
  Buffer.from('K'),
  Buffer.from([0x12, 1]),
  Buffer.from('1'),
  Buffer.from([0x42, 0]),
]);

/** Plural, kind and short name of what is served. */
export const SERVED = [
  { plural: 'models', singular: 'model', kind: 'Model', shortName: 'mdl' },
  { plural: 'inferenceservices', singular: 'inferenceservice', kind: 'InferenceService', shortName: 'isvc' },
] as const;

/** What clients ask before they ask for objects; undefined = not a discovery path. */
export function discover(path: string, schemas: KubeSchemas, withCrds: boolean): JsonObject | undefined {
  const group: JsonObject = {
    name: GROUP,
    versions: [{ groupVersion: GROUP_VERSION, version: VERSION }],
    preferredVersion: { groupVersion: GROUP_VERSION, version: VERSION },
  };
  const openApiPath = `apis/${GROUP_VERSION}`;
  const always: JsonObject = {
    '/version': { major: '1', minor: '32', gitVersion: 'v1.32.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [coreResource('namespaces', 'Namespace', false), coreResource('events', 'Event', true)],
    },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: withCrds ? [group] : [] },
    '/openapi/v3': {
      paths: withCrds ? { [openApiPath]: { serverRelativeURL: `/openapi/v3/${openApiPath}?hash=1` } } : {},
    },
  };
  const withGroup: JsonObject = {
    [`/apis/${GROUP}`]: { kind: 'APIGroup', apiVersion: 'v1', ...group },
    [`/apis/${GROUP_VERSION}`]: {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: GROUP_VERSION,
      resources: SERVED.flatMap(resources),
    },
    [`/openapi/v3/${openApiPath}`]: openApi(schemas),
  };
  return { ...always, ...(withCrds && withGroup) }[path] as JsonObject | undefined;
}

function coreResource(name: string, kind: string, namespaced: boolean): JsonObject {
  return { name, kind, namespaced, singularName: '', verbs: ['get', 'list', 'watch'] };
}

function resources({ plural, singular, kind, shortName }: (typeof SERVED)[number]): JsonObject[] {
  return [
    { name: plural, singularName: singular, namespaced: true, kind, verbs: VERBS, shortNames: [shortName] },
    { name: `${plural}/status`, singularName: '', namespaced: true, kind, verbs: ['get', 'patch', 'update'] },
  ];
}

/** kubectl reads from here whether the server validates fields itself: a PATCH with a `fieldValidation` parameter. */
function openApi(schemas: KubeSchemas): JsonObject {
  const paths = SERVED.map(({ plural, kind }) => {
    const patch = {
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: GROUP, version: VERSION, kind },
      parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
      responses: {},
    };
    return [`/apis/${GROUP_VERSION}/namespaces/{namespace}/${plural}/{name}`, { patch }];
  });
  const definitions = SERVED.map(({ kind }) => {
    const gvk = [{ group: GROUP, version: VERSION, kind }];
    return [
      `dev.llmkube.inference.v1alpha1.${kind}`,
      { ...schemas.openApi(kind), 'x-kubernetes-group-version-kind': gvk },
    ];
  });
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
    paths: Object.fromEntries(paths) as JsonObject,
    components: { schemas: Object.fromEntries(definitions) as JsonObject },
  };
}
