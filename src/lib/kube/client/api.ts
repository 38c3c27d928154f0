import type { ServerMode } from '../../runtime/launch-options.js';

/** The API group that LLMKube's operator serves. */
export const API_GROUP = 'inference.llmkube.dev';
export const API_VERSION = 'v1alpha1';
/** Owner of every field this program applies. */
export const FIELD_MANAGER = 'llmkube';

export const RESOURCE_OF_KIND = { Model: 'models', InferenceService: 'inferenceservices' } as const;
export type Kind = keyof typeof RESOURCE_OF_KIND;

export const FORMATS = ['gguf', 'mlx', 'safetensors', 'pytorch', 'custom'] as const;
export const RUNTIMES = ['llamacpp', 'llamacpp-router', 'vllm', 'tgi', 'sglang', 'generic', 'personaplex'] as const;
export const GPU_VENDORS = ['nvidia', 'amd', 'intel'] as const;
/** Cache types of the enum; the others go to `cacheTypeCustomK/V`. */
export const ENUM_CACHE_TYPES = ['f16', 'f32', 'q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'iq4_nl'] as const;

export type Format = (typeof FORMATS)[number];
export type Runtime = (typeof RUNTIMES)[number];
export type GpuVendor = (typeof GPU_VENDORS)[number];

/** An amount as Kubernetes writes it: `24Gi`, `500m`. */
export type Quantity = string;

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  /** Nested sets: `{ 'f:spec': { 'f:replicas': {} } }`. */
  readonly fieldsV1?: FieldSet;
}

export interface FieldSet {
  readonly [key: string]: FieldSet;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  /** Set when it is being deleted: it vanishes once its finalizers are gone. */
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export interface ModelSpec {
  readonly source: string;
  readonly files?: readonly string[];
  readonly format: Format;
  readonly quantization?: string;
  /** Projector among the files of the source. */
  readonly mmproj?: string;
  readonly sha256?: string;
  /** Secret with `HF_TOKEN`, perhaps `HF_ENDPOINT`. */
  readonly sourceSecretRef?: { readonly name: string };
  readonly hardware?: {
    readonly accelerator: string;
    readonly gpu?: {
      readonly enabled: boolean;
      readonly count: number;
      readonly vendor?: GpuVendor;
      readonly layers: number;
      readonly memory?: Quantity;
    };
    readonly memoryBudget?: Quantity;
    readonly memoryFraction?: number;
  };
  readonly resources?: { readonly cpu?: Quantity; readonly memory?: Quantity };
}

export interface ModelStatus {
  readonly phase?: string;
  /** Text such as `18.5 GiB`, or `0` when it was not measured. */
  readonly size?: string;
  readonly path?: string;
  readonly cacheKey?: string;
  readonly gguf?: Readonly<Record<string, unknown>>;
  readonly conditions?: readonly Condition[];
}

export interface EnvVar {
  readonly name: string;
  readonly value: string;
  /** In place of a value. */
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

/** `type`: a type of llama-server, or `mtp`, `draft`, `disabled`, `none`. */
export interface SpeculativeDecoding {
  readonly type: string;
  /** Among the files of the same Model. */
  readonly draftModel?: string;
  /** Another Model of the namespace. */
  readonly draftModelRef?: string;
  readonly nDraftMax?: number;
  readonly pMin?: number;
}

export interface InferenceServiceSpec {
  readonly modelRef: string;
  /** Unset = whoever scales it decides; the API's default is 1. */
  readonly replicas?: number;
  readonly suspend?: boolean;
  readonly image?: string;
  readonly runtime?: Runtime;
  readonly mode?: ServerMode;
  readonly endpoint: {
    readonly port: number;
    readonly path: string;
    readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
    readonly nodePort?: number;
  };
  readonly resources?: {
    readonly cpu?: Quantity;
    /** The operator makes the container's request of it, and its limit too where `memoryLimit` is not set. */
    readonly memory?: Quantity;
    /** From LLMKube 0.9.26 on. */
    readonly memoryLimit?: Quantity;
    readonly gpu?: number;
    readonly gpuMemory?: Quantity;
  };
  readonly contextSize?: number;
  readonly parallelSlots?: number;
  readonly batchSize?: number;
  readonly uBatchSize?: number;
  readonly flashAttention?: boolean;
  readonly cacheTypeK?: string;
  readonly cacheTypeV?: string;
  readonly cacheTypeCustomK?: string;
  readonly cacheTypeCustomV?: string;
  readonly moeCPUOffload?: boolean;
  readonly moeCPULayers?: number;
  readonly noKvOffload?: boolean;
  readonly jinja?: boolean;
  readonly noWarmup?: boolean;
  readonly tensorOverrides?: readonly string[];
  readonly metadataOverrides?: readonly string[];
  readonly ropeScaling?: {
    readonly type?: string;
    readonly factor?: string | number;
    readonly originalContext?: number;
  };
  readonly reasoningBudget?: number;
  readonly reasoningBudgetMessage?: string;
  readonly speculativeDecoding?: SpeculativeDecoding;
  readonly priority?: string;
  readonly evictionProtection?: boolean;
  readonly extraArgs?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly containerPort?: number;
  readonly skipModelInit?: boolean;
  readonly autoscaling?: {
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics?: readonly { readonly type: 'Pods'; readonly name: string; readonly targetAverageValue: string }[];
  };
}

export interface InferenceServiceStatus {
  readonly phase?: string;
  readonly endpoint?: string;
  readonly readyReplicas?: number;
  readonly desiredReplicas?: number;
  readonly schedulingStatus?: string;
  readonly schedulingMessage?: string;
  readonly conditions?: readonly Condition[];
}

interface Resource<K extends Kind, Spec, Status> {
  readonly apiVersion: `${typeof API_GROUP}/${typeof API_VERSION}`;
  readonly kind: K;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
  /** Larger than any that is made to be used: only what it and its Models are called by was read, and what is missing may be there. */
  readonly partial?: true;
}

export type ModelResource = Resource<'Model', ModelSpec, ModelStatus>;
export type InferenceServiceResource = Resource<'InferenceService', InferenceServiceSpec, InferenceServiceStatus>;
export type AnyResource = ModelResource | InferenceServiceResource;
export type ResourceOf<K extends Kind> = K extends 'Model' ? ModelResource : InferenceServiceResource;
