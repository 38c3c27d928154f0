import * as Flags from '@oclif/core/flags';
import type { GgufHeader } from '../../gguf/header.js';
import type { HostMemory } from '../../host/host-memory.js';
import type { CheckDependencies, CheckRequest, MemoryCheck } from '../../preflight/check-memory.js';

export const htmlFlag = Flags.string({
  description: 'write the answer as a page too, which recomputes it for other settings; replaces the file',
  helpValue: 'FILE',
});

/** Keeps what a check reads, for the page. */
export class CheckRecorder {
  #header: GgufHeader | undefined;
  #host: HostMemory | undefined;

  constructor(private readonly dependencies: CheckDependencies) {}

  get recording(): CheckDependencies {
    const { readHeader, measureHost } = this.dependencies;
    return {
      ...this.dependencies,
      readHeader: async (model) => {
        const reading = await readHeader(model);
        // The model's, which is read first; a projector's comes after it.
        this.#header ??= reading.header;
        return reading;
      },
      measureHost: async (request) => (this.#host = await measureHost(request)),
    };
  }

  /**
   * Writes the page of a check; false when header or machine could not be had, so that there is nothing to show.
   * @throws UsageError PAGE_NOT_WRITTEN
   */
  async write(file: string, check: MemoryCheck, request: CheckRequest, options: PageOptions): Promise<boolean> {
    const [header, host] = [this.#header, this.#host];
    if (header === undefined || host === undefined || check.estimate === undefined) return false;
    const [{ pageInput }, { writePage }] = await Promise.all([
      import('../../page/page-of-check.js'),
      import('../../page/write-page.js'),
    ]);
    const { policy } = request;
    const { modelOptions, version } = options;
    await writePage(file, pageInput(check, { header, host, policy, modelOptions }), version);
    return true;
  }
}

interface PageOptions {
  /** Words of the command line that say which model is meant. */
  readonly modelOptions: readonly string[];
  readonly version: string;
}
