import * as Flags from '@oclif/core/flags';
import { loadCatalog } from '../../lib/catalog/load-catalog.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { surroundingsOf } from '../../lib/cli/surroundings.js';
import { withEachEntry } from '../../lib/cli/read-catalog-headers.js';
import { checkRequest } from '../../lib/cli/check-request.js';
import { launchFlags } from '../../lib/cli/flags/launch-flags.js';
import { budgetFlags } from '../../lib/cli/flags/machine-flags.js';
import { modelFlags } from '../../lib/cli/flags/model-flags.js';
import { wholeNumber } from '../../lib/cli/flags/values/whole-number.js';
import { terminalWidth } from '../../lib/cli/terminal/terminal-width.js';
import { chooseEntries, SORTS } from '../../lib/preflight/catalog/choose-entries.js';
import { measureHost } from '../../lib/host/measure-host.js';
import { refuseForAll } from '../../lib/preflight/surveys/judge-or-refusal.js';
import { entryChecker } from '../../lib/preflight/catalog/check-catalog.js';
import { type CheckedEntry, checkedEntry } from '../../lib/preflight/catalog/checked-entry.js';
import { catalogCheckNotices, catalogCheckTable } from '../../lib/report/tables/catalog-check-text.js';
import { checkJson } from '../../lib/report/json/check-json.js';

const HELP_GROUP = 'CATALOGUE';

export default class CatalogCheck extends BaseCommand {
  static override description = `Reads every entry's header and holds what llama-server takes with the entry's own options against the memory of this \
machine or of the one that is given. Flags win over the entry's options; LARGEST CONTEXT is what would fit with them.

Exit codes: 0 every entry was checked, whether or not it fits, 2 usage, 3 one could not be checked.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --accelerator metal --system-memory 32Gi --in-use 4Gi --offline',
    '<%= config.bin %> <%= command.id %> --fits --sort context --ctx-size 32k --cache-type-k q8_0 --cache-type-v q8_0',
    '<%= config.bin %> <%= command.id %> --catalog team-models.yaml --json',
  ];
  static override flags = {
    ...launchFlags,
    ...budgetFlags,
    ...modelFlags,
    fits: Flags.boolean({ description: 'show only what fits', helpGroup: HELP_GROUP }),
    'least-context': wholeNumber({ min: 1, thousands: true })({
      description: 'show only what holds a context of so many tokens',
      helpGroup: HELP_GROUP,
    }),
    'use-case': Flags.string({
      description: 'show only what is for this, such as code or vision',
      helpGroup: HELP_GROUP,
      multiple: true,
      multipleNonGreedy: true,
    }),
    sort: Flags.option({ options: SORTS })({
      default: 'catalog',
      description: 'by id, by what is taken (least first), by what is left or by largest context (most first)',
      helpGroup: HELP_GROUP,
    }),
  };
  static override summary = 'say which models of the catalogue fit the memory of a machine';

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(CatalogCheck);
    const catalog = await loadCatalog(flags.catalog);
    const asJson = this.jsonEnabled();
    const checkEntry = entryChecker(catalog, await checkRequest('', flags, this.variables), {
      measureHost,
      // The table has no place for it.
      ...(!asJson && { remedy: () => undefined }),
    });
    const surroundings = surroundingsOf(this.config, flags, asJson);
    const answers = new Map<CheckedEntry, Record<string, unknown>>();
    const all = await withEachEntry(catalog, surroundings, async (entry, readHeader) => {
      const check = await checkEntry(entry, readHeader);
      const row = checkedEntry(check);
      if (asJson) answers.set(row, checkJson({ ...check, largest: row.largest }));
      return row;
    });
    refuseForAll(all.map(({ verdict }) => verdict));
    const checks = chooseEntries(all, {
      fits: flags.fits,
      leastContext: flags['least-context'],
      useCases: flags['use-case'] ?? [],
      sort: flags.sort,
    });
    if (all.some(({ verdict }) => verdict.kind === 'unknown')) process.exitCode = 3;
    if (!asJson) await this.print(checks, all);
    return { models: checks.map((row) => answers.get(row)) };
  }

  private async print(checks: readonly CheckedEntry[], all: readonly CheckedEntry[]): Promise<void> {
    const { default: colors } = await import('chalk');
    this.log(catalogCheckTable(checks, terminalWidth(process.stdout), colors));
    const shown = new Set(checks);
    const told = all.filter((check) => shown.has(check) || check.verdict.kind === 'unknown');
    const notices = catalogCheckNotices(told);
    // At once: what is written line by line waits in memory until the last.
    if (notices.length > 0) this.notice(notices.join('\n'));
  }
}
