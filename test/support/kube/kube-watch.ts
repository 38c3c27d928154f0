import type { ServerResponse } from 'node:http';
import type { KubeStore, StoreEvent } from './kube-store.js';
import { ApiFailure, type JsonObject, type KubeObject } from './kube-types.js';

export interface WatchRequest {
  readonly plural: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  /** From `fieldSelector=metadata.name=...`. */
  readonly name: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** One open watch connection. */
export class OpenWatch {
  readonly #unsubscribe: () => void;

  constructor(
    readonly response: ServerResponse,
    readonly store: KubeStore,
    readonly request: WatchRequest,
  ) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const from = this.#startVersion();
    this.#unsubscribe = from === undefined ? () => undefined : store.subscribe((event) => this.#pass(event));
    if (from === undefined) return;
    for (const event of store.history.filter(({ version }) => version > from)) this.#pass(event);
  }

  bookmark(): void {
    const metadata = { resourceVersion: String(this.store.version) };
    this.#write('BOOKMARK', { kind: this.request.kind, apiVersion: 'inference.llmkube.dev/v1alpha1', metadata });
  }

  /** As the server does when the time of a watch is over. */
  end(): void {
    this.#unsubscribe();
    this.response.end();
  }

  /** As a network does that fails. */
  drop(): void {
    this.#unsubscribe();
    this.response.destroy();
  }

  /** @returns undefined after the connection was ended because its version is no longer known */
  #startVersion(): number | undefined {
    const { resourceVersion, plural, namespace } = this.request;
    if (resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0') {
      for (const object of this.store.list(plural, namespace)) {
        if (this.#concerns(plural, object)) this.#write('ADDED', object as unknown as JsonObject);
      }
      return this.store.version;
    }
    if (Number(resourceVersion) >= this.store.compacted) return Number(resourceVersion);
    const expired = new ApiFailure(
      410,
      'Expired',
      `too old resource version: ${resourceVersion} (${this.store.compacted})`,
    );
    this.#write('ERROR', expired.toStatus());
    this.response.end();
    return undefined;
  }

  #pass({ type, plural, object }: StoreEvent): void {
    if (this.#concerns(plural, object)) this.#write(type, object as unknown as JsonObject);
  }

  #concerns(plural: string, { metadata }: KubeObject): boolean {
    const { namespace, name } = this.request;
    return (
      plural === this.request.plural &&
      (namespace === undefined || namespace === metadata.namespace) &&
      (name === undefined || name === metadata.name)
    );
  }

  #write(type: string, object: JsonObject): void {
    this.response.write(`${JSON.stringify({ type, object })}\n`);
  }
}
