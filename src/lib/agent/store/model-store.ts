import { CheckIncompleteError } from '../../errors.js';
import type { ModelResource } from '../../kube/client/api.js';
import type { ObjectCalls } from '../../kube/client/object-calls.js';
import { printable } from '../../printable.js';
import { type Credential, hubFrom } from '../../source/hub/hub-urls.js';
import { createNetwork, type ReadOptions } from '../../source/session.js';
import { readSecret } from '../cluster/secrets.js';
import { download, isFetched } from './download.js';
import { isStamped } from './file-digest.js';
import { type ModelFiles, modelFiles, modelSource, type RemoteModelFile, type StoreRules } from './model-files.js';

export interface StoreOptions extends StoreRules {
  /** Hosts on private addresses that files may be fetched from. */
  readonly allowedHosts: readonly string[];
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A Model's files, and how their headers are read. */
export interface LocatedModel extends ModelFiles {
  /** As `parseModelSource` reads it; the file on this host once it is there. */
  readonly reading: ReadOptions;
  /** Not there, or not yet known to have the digest that is asked for. */
  readonly missing: ModelFiles['remote'];
  readonly credential: Credential | undefined;
}

/** The files of models on this host. */
export class ModelStore {
  constructor(
    private readonly options: StoreOptions,
    private readonly objects: ObjectCalls,
  ) {}

  /** Where a Model's files are and what is missing; `draft` names one more of its source. @throws CheckIncompleteError, SourceError, ClusterError */
  async locate(model: ModelResource, signal: AbortSignal, draft?: string): Promise<LocatedModel> {
    const env = await this.#environment(model);
    const reading: ReadOptions = { cacheDir: this.options.cacheDir, env, signal };
    const hub = hubFrom(env);
    const files = await modelFiles(model, this.options, hub, reading, draft);
    const [first] = files.remote;
    await this.#refusePrivate(files.remote);
    const { kind } = modelSource(model);
    const isHub = kind === 'hf';
    const token = kind !== 'http' || model.spec.sourceSecretRef === undefined ? undefined : env.HF_TOKEN;
    const own = first && token ? { origin: first.url.origin, authorization: `Bearer ${token}` } : undefined;
    const sha256 = model.spec.sha256?.toLowerCase();
    const isUnproven = ({ path }: RemoteModelFile): boolean =>
      path === files.modelPath && sha256 !== undefined && !isStamped(path, sha256);
    const missing = files.remote.filter((file) => !isFetched(file) || isUnproven(file));
    return { ...files, reading, missing, credential: isHub ? hub.credential : own };
  }

  /** @throws SourceError, CheckIncompleteError DISK_FULL, MODEL_DIGEST, MODEL_SOURCE_NOT_ALLOWED */
  async fetch(
    model: ModelResource,
    { missing, credential, modelPath }: LocatedModel,
    signal: AbortSignal,
  ): Promise<void> {
    const network = createNetwork({ env: this.options.env });
    const context = { network, meter: { requests: 0, bytes: 0 }, signal };
    try {
      for (const file of missing) {
        const sha256 = file.path === modelPath ? model.spec.sha256 : undefined;
        await download(file, { credential, context, sha256 });
      }
    } finally {
      network.close();
    }
  }

  /** Before anything is asked of it: a Model must not make this host ask servers inside. */
  async #refusePrivate(files: ModelFiles['remote']): Promise<void> {
    const network = createNetwork({ env: this.options.env });
    try {
      for (const { url } of files) {
        const allowed = [url.host, url.hostname].some((name) => this.options.allowedHosts.includes(name));
        if (allowed || !(await network.leadsInside(url))) continue;
        throw new CheckIncompleteError(
          'MODEL_SOURCE_NOT_ALLOWED',
          `${printable(url.host)} is on a private address, from which nothing is fetched`,
          { suggestions: ['allow it with --allowed-download-hosts'] },
        );
      }
    } finally {
      network.close();
    }
  }

  /** This process's environment with what the Model's Secret says in its place. */
  async #environment({ metadata, spec }: ModelResource): Promise<NodeJS.ProcessEnv> {
    const name = spec.sourceSecretRef?.name;
    if (name === undefined || name === '') return this.options.env;
    const secret = await readSecret(this.objects, metadata.namespace, name);
    if (secret === undefined) {
      throw new CheckIncompleteError('SECRET_MISSING', `there is no Secret "${name}" in ${metadata.namespace}`, {
        suggestions: ['create it with the key HF_TOKEN, or correct spec.sourceSecretRef of the Model'],
      });
    }
    const said = new Map([...secret].map(([key, text]) => [key, text.trim()]));
    const ofStore = [...said].filter(([key]) => isOfStore(key));
    // A Secret that leads to another store must not bring this host's own keys there.
    const own = Object.entries(this.options.env).filter(([key]) => ofStore.length === 0 || !isOfStore(key));
    return {
      ...Object.fromEntries(own),
      HF_TOKEN: said.get('HF_TOKEN') ?? '',
      HF_ENDPOINT: said.get('HF_ENDPOINT') || this.options.env.HF_ENDPOINT,
      ...Object.fromEntries(ofStore),
    };
  }
}

function isOfStore(key: string): boolean {
  return key.startsWith('AWS_');
}
