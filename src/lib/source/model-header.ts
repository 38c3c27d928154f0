import type { CatalogEntry } from '../catalog/catalog.js';
import type { GgufHeader } from '../gguf/header.js';
import { existsSync } from 'node:fs';
import { readBundledHeader, type BundledHeader } from './bundled-header.js';
import { shown } from '../printable.js';
import { type ModelSource, parseModelSource } from './model-source.js';
import type { ReadOptions } from './session.js';
import { SourceError, type SourceErrorCode } from './source-error.js';

/** `live`: read from the source just now; `cache`: read from it before; `bundled`: shipped with this program. */
export type HeaderOrigin = 'live' | 'cache' | 'bundled';

/** A model's header, and how far it can be trusted to be that of the source. */
export interface ModelHeader {
  readonly header: GgufHeader;
  readonly origin: HeaderOrigin;
  /** Worked out from published sizes and quantization rules rather than read from the file. */
  readonly derived: boolean;
  /** The file of a repository that it was read from. */
  readonly file?: { readonly path: string; readonly commit: string | null };
  /** Where a store's name led: a path or an address. */
  readonly place?: string;
  /** Why it is not the live one, or that others could have been meant. */
  readonly notes: readonly string[];
}

/** The path or the address whose name says what was read. */
export function pathRead({ file, place }: Pick<ModelHeader, 'file' | 'place'>, source: string): string | undefined {
  return file?.path ?? place ?? (parseModelSource(source).kind === 'file' ? source : undefined);
}

/** A source, and the entry of the bundled catalogue that it belongs to, if any. */
export interface HeaderRequest {
  readonly source: string;
  readonly entry: CatalogEntry | undefined;
  readonly quantization: string | undefined;
  /** Nobody typed it: where it is not, nothing is asked about what might have been meant. */
  readonly isTried?: boolean;
}

/** The source is there, as far as anyone knows, but nothing can be read from it now. */
const UNREACHABLE: readonly SourceErrorCode[] = [
  'SOURCE_OFFLINE',
  'SOURCE_UNREACHABLE',
  'SOURCE_TIMEOUT',
  'SOURCE_RATE_LIMITED',
  'SOURCE_HTTP_STATUS',
  'SOURCE_BAD_RESPONSE',
  'SOURCE_BAD_REDIRECT',
];

const OFFLINE = '--offline';

/** With an answer at hand, a network that does not answer is not waited for as long. */
const IMPATIENT = { timeouts: { connectMs: 3_000, firstByteMs: 8_000 }, retry: { attempts: 2 } } as const;

/**
 * The live header where it can be had, else the one that ships with this program.
 * @param parsed the request's source, where that is known
 * @throws SourceError, GgufError when neither can
 * @throws UsageError for a source that is none
 */
export async function readHeaderFor(
  request: HeaderRequest,
  options: ReadOptions,
  parsed?: ModelSource,
): Promise<ModelHeader> {
  const { entry, quantization } = request;
  const isBundled = entry?.bundled === true && quantization !== undefined;
  const bundled = isBundled ? readBundledHeader(entry.id, quantization) : undefined;
  if (bundled !== undefined && options.offline === true && !isThere(options.cacheDir)) {
    return fromBundle(bundled, OFFLINE);
  }
  try {
    const { readModelHeader } = await import('./open.js');
    const patient = bundled === undefined ? options : { ...IMPATIENT, ...options };
    const source = parsed ?? parseModelSource(request.source);
    const asking = request.isTried === true ? { ...patient, asksWhatWasMeant: false } : patient;
    const reading = await readModelHeader(source, asking);
    const { header, fromCache, file, commit, chosen, others = 0 } = reading;
    const isChosen = file !== undefined && others > 0 && request.entry === undefined && hasNoQuantization(source);
    const note = `${shown(file ?? '')} was read; the repository has ${others} more: name one as ${repositoryOf(source)}:QUANT`;
    return {
      header,
      origin: fromCache ? 'cache' : 'live',
      derived: false,
      ...(file === undefined ? {} : { file: { path: file, commit: commit ?? null } }),
      ...(chosen === undefined || source.kind === 'hf' ? {} : { place: reading.path ?? reading.url ?? request.source }),
      notes: [...(chosen === undefined ? [] : [chosen]), ...(isChosen ? [note] : [])],
    };
  } catch (error) {
    if (bundled === undefined || !isUnreachable(error)) throw error;
    return fromBundle(
      bundled,
      error.code === 'SOURCE_OFFLINE' ? OFFLINE : error.message.replace(/^cannot read \S+: /, ''),
    );
  }
}

function hasNoQuantization(source: ModelSource): boolean {
  return source.kind === 'hf' && source.quantization === undefined;
}

function repositoryOf(source: ModelSource): string {
  return source.kind === 'hf' ? `hf:${shown(source.repository)}` : 'hf:OWNER/REPO';
}

/** True when the source could not be asked, so that it is not known whether it has the model. */
export function isUnreachable(error: unknown): error is SourceError {
  return error instanceof SourceError && UNREACHABLE.includes(error.code);
}

function fromBundle({ header, derived }: BundledHeader, reason: string): ModelHeader {
  const what = derived ? 'the bundled header (derived from published sizes)' : 'the bundled header';
  return { header, origin: 'bundled', derived, notes: [`source not read (${reason}): ${what} was used`] };
}

function isThere(folder: string | undefined): boolean {
  return folder !== undefined && existsSync(folder);
}
