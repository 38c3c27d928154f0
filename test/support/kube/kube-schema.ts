import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { ApiFailure, omit, type Json, type JsonObject, type KubeObject, type StatusCause } from './kube-types.js';

interface Schema {
  type?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  items?: Schema;
  default?: Json;
  $schema?: string;
  title?: string;
}

const SCHEMA_FILES = { Model: 'model', InferenceService: 'inferenceservice' } as const;

/** The two kinds as an operator's CRDs describe them, optionally an older one that lacks some fields. */
export class KubeSchemas {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #validators: ReadonlyMap<string, ValidateFunction>;

  /**
   * @param withoutFields dotted paths such as `InferenceService.spec.skipModelInit`
   * @param knowsMemoryLimit `resources.memoryLimit` of LLMKube 0.9.26
   */
  constructor(withoutFields: readonly string[] = [], knowsMemoryLimit = false) {
    this.#schemas = Object.fromEntries(Object.entries(SCHEMA_FILES).map(([kind, file]) => [kind, readSchema(file)]));
    for (const path of withoutFields) removeField(this.#schemas, path.split('.'));
    Object.values(this.#schemas).forEach(boundIntegers);
    if (knowsMemoryLimit) addMemoryLimit(this.#schemas);
    const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
    this.#validators = new Map(Object.entries(this.#schemas).map(([kind, schema]) => [kind, ajv.compile(schema)]));
  }

  /** For `/openapi/v3`, where an exclusive minimum is a boolean beside the minimum. */
  openApi(kind: string): JsonObject {
    const text = JSON.stringify(omit(this.#schemas[kind] ?? {}, '$schema', 'title'));
    return JSON.parse(text.replace('"exclusiveMinimum":0', '"minimum":0,"exclusiveMinimum":true')) as JsonObject;
  }

  /** Fields that the schema does not know, as `.spec.name`. */
  unknownFields(object: KubeObject): string[] {
    return this.#errors(object)
      .filter(({ keyword }) => keyword === 'additionalProperties')
      .map(({ instancePath, params }) => `${instancePath.replaceAll('/', '.')}.${params.additionalProperty as string}`);
  }

  fillDefaults(object: KubeObject): void {
    const spec = this.#schemas[object.kind]?.properties?.spec;
    if (spec && object.spec) fill(object.spec, spec);
  }

  /** @throws ApiFailure 422 with one cause a field */
  validate(object: KubeObject): void {
    const errors = this.#errors(object);
    if (errors.length === 0) return;
    const undecoded = errors.flatMap(beyondInt32);
    const causes = undecoded.length > 0 ? undecoded.slice(0, 1) : errors.map(causeOf);
    const hasRules = object.kind === 'InferenceService';
    if (hasRules && causes.some(({ reason }) => BLOCKING.includes(reason))) causes.push(RULES_NOT_CHECKED);
    const subject = `${object.kind}.inference.llmkube.dev "${object.metadata.name}"`;
    const list = causes.map(({ field, message }) => `${field}: ${message}`).join(', ');
    const message = `${subject} is invalid: ${causes.length > 1 ? `[${list}]` : list}`;
    throw new ApiFailure(422, 'Invalid', message, {
      name: object.metadata.name,
      group: 'inference.llmkube.dev',
      kind: object.kind,
      causes,
    });
  }

  #errors(object: KubeObject): ErrorObject[] {
    const validator = this.#validators.get(object.kind);
    if (validator === undefined || validator(object)) return [];
    return validator.errors ?? [];
  }
}

function readSchema(file: string): Schema {
  const url = new URL(`../../../schemas/${file}.v1alpha1.schema.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Schema;
}

const MAX_INT32 = 2 ** 31 - 1;

/** Every integer of these CRDs is of format int32. */
function boundIntegers(schema: Schema): void {
  if (schema.type === 'integer') schema.maximum ??= MAX_INT32;
  [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : [])].forEach(boundIntegers);
}

function addMemoryLimit({ InferenceService: schema }: Readonly<Record<string, Schema>>): void {
  const resources = schema?.properties?.spec?.properties?.resources?.properties ?? {};
  resources.memoryLimit = { ...resources.memory };
}

function removeField(schemas: Readonly<Record<string, Schema>>, [kind = '', ...keys]: string[]): void {
  let node: Schema | undefined = schemas[kind];
  for (const key of keys.slice(0, -1)) node = node?.properties?.[key];
  Reflect.deleteProperty(node?.properties ?? {}, keys.at(-1) ?? '');
}

function fill(value: JsonObject, schema: Schema): void {
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (value[key] === undefined && property.default !== undefined) value[key] = property.default;
    const child = value[key];
    if (typeof child === 'object' && child !== null && !Array.isArray(child)) fill(child, property);
  }
}

/** Beside a cause that blocks them, where the CRD has rules in CEL. */
const RULES_NOT_CHECKED: StatusCause = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

function causeOf({ instancePath, keyword, params, data, message = '' }: ErrorObject): StatusCause {
  const field = instancePath.slice(1).replaceAll('/', '.');
  const value = JSON.stringify(data);
  switch (keyword) {
    case 'required': {
      const missing = `${field}.${params.missingProperty as string}`.replace(/^\./, '');
      return { reason: 'FieldValueRequired', field: missing, message: 'Required value' };
    }
    case 'enum': {
      const supported = (params.allowedValues as string[]).map((allowed) => `"${allowed}"`).join(', ');
      const words = `Unsupported value: ${value}: supported values: ${supported}`;
      return { reason: 'FieldValueNotSupported', field, message: words };
    }
    case 'type': {
      const words = `Invalid value: "${typeof data}": ${field} in body must be of type ${String(params.type)}: "${typeof data}"`;
      return { reason: 'FieldValueTypeInvalid', field, message: words };
    }
    case 'minimum':
    case 'maximum': {
      const side = keyword === 'minimum' ? 'greater' : 'less';
      const words = `Invalid value: ${value}: ${field} in body should be ${side} than or equal to ${String(params.limit)}`;
      return { reason: 'FieldValueInvalid', field, message: words };
    }
    default:
      return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${value}: ${field} in body ${message}` };
  }
}

/** What keeps rules in CEL from being tried: `hasBlockingErr` of apiextensions-apiserver. */
const BLOCKING: readonly string[] = ['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTypeInvalid'];

/** Found while the object is decoded, before everything else; it names its field in words only. */
function beyondInt32({ instancePath, keyword, params }: ErrorObject): readonly StatusCause[] {
  if (keyword !== 'maximum' || params.limit !== MAX_INT32) return [];
  const field = instancePath.slice(1).replaceAll('/', '.');
  const message = `Invalid value: "": Checked value must be of type integer with format int32 in ${field}`;
  return [{ reason: 'FieldValueInvalid', field: '<nil>', message }];
}
