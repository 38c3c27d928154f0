import { loadCatalog } from '../../lib/catalog/load-catalog.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { surroundingsOf } from '../../lib/cli/surroundings.js';
import { withEachEntry } from '../../lib/cli/read-catalog-headers.js';
import { modelFlags } from '../../lib/cli/flags/model-flags.js';
import {
  type EntryValidation,
  validateEntry,
  validationExitCode,
} from '../../lib/preflight/catalog/validate-catalog.js';
import { validationJson } from '../../lib/report/json/validation-json.js';
import { terminalWidth } from '../../lib/cli/terminal/terminal-width.js';
import { validationFailure, validationTable } from '../../lib/report/text/validation-text.js';

export default class CatalogValidate extends BaseCommand {
  static override description = `Reads every entry's header, estimates what llama-server takes on Metal at a context of 8192 tokens and at the entry's \
own, and says whether vram_estimate is true.

Exit codes: 0 all true, 1 an estimate is not true, 2 usage, 3 an entry could not be checked. With --offline, entries \
whose header is neither bundled nor cached are named, but are no failure.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --offline',
    '<%= config.bin %> <%= command.id %> --catalog team-models.yaml --json',
  ];
  static override flags = modelFlags;
  static override summary = "hold every entry's vram_estimate against what the estimator says";

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(CatalogValidate);
    const catalog = await loadCatalog(flags.catalog);
    const { offline } = flags;
    const surroundings = surroundingsOf(this.config, flags, this.jsonEnabled());
    const results = await withEachEntry(catalog, surroundings, validateEntry);
    process.exitCode = validationExitCode(results, offline);
    if (!this.jsonEnabled()) await this.print(results);
    return validationJson(results);
  }

  private async print(results: readonly EntryValidation[]): Promise<void> {
    const { default: colors } = await import('chalk');
    this.log(validationTable(results, terminalWidth(process.stdout), colors));
    const failure = validationFailure(results);
    if (failure !== undefined) this.notice(`Error: ${failure}`);
  }
}
