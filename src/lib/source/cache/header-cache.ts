import { type HeaderDigest, toDigest } from '../../gguf/digest/digest.js';
import type { GgufHeader } from '../../gguf/header.js';
import { fromDigest } from '../../gguf/digest/read-digest.js';
import { CacheFolder } from './cache-folder.js';
import type { FolderNames } from '../stores/folder-names.js';
import { isCommit } from '../hub/hub-urls.js';

/** Of what is published, mixtures of experts stored one by one have a few thousand; others are read again. */
const MOST_TENSORS_KEPT = 16_384;

/** The header of one file, and by what a server tells that version of it from others. */
export interface CachedHeader {
  readonly header: GgufHeader;
  readonly etag?: string | undefined;
}

/** Which file of a repository a source meant when it was read last. */
export interface Resolution {
  readonly commit: string;
  /** In the repository; of the first part. */
  readonly path: string;
}

interface StoredHeader {
  readonly kind: 'header';
  readonly etag?: string | undefined;
  readonly digest: HeaderDigest;
}

/** Headers read before. What is read back is checked like any other input; a damaged entry counts as none. */
export class HeaderCache {
  readonly #folder: CacheFolder | undefined;

  /**
   * @param cacheDir the program's cache folder; without one nothing is kept
   * @param known what lies in folders, where only what was kept before is asked for
   */
  constructor(cacheDir: string | undefined, known?: FolderNames) {
    this.#folder = cacheDir === undefined ? undefined : new CacheFolder(cacheDir, known);
  }

  async header(key: string): Promise<CachedHeader | undefined> {
    const stored = (await this.#folder?.read(key)) as Partial<StoredHeader> | undefined;
    if (stored?.kind !== 'header') return undefined;
    try {
      return { header: fromDigest(stored.digest), etag: typeof stored.etag === 'string' ? stored.etag : undefined };
    } catch {
      return undefined;
    }
  }

  async keepHeader(key: string, { header, etag }: CachedHeader): Promise<void> {
    if (header.tensors.length > MOST_TENSORS_KEPT) return;
    const stored: StoredHeader = { kind: 'header', etag, digest: toDigest(header) };
    await this.#folder?.write(key, stored);
  }

  async resolution(key: string): Promise<Resolution | undefined> {
    const stored = (await this.#folder?.read(key)) as (Partial<Resolution> & { kind?: unknown }) | undefined;
    const { kind, commit, path } = stored ?? {};
    return kind === 'resolution' && isCommit(commit) && typeof path === 'string' ? { commit, path } : undefined;
  }

  async keepResolution(key: string, resolution: Resolution): Promise<void> {
    await this.#folder?.write(key, { kind: 'resolution', ...resolution });
  }
}
