import * as Args from '@oclif/core/args';
import { requireEntry } from '../../lib/catalog/catalog.js';
import { loadCatalog } from '../../lib/catalog/load-catalog.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { catalogFlag } from '../../lib/cli/flags/model-flags.js';
import { catalogEntryJson } from '../../lib/report/json/catalog-json.js';
import { catalogEntryText } from '../../lib/report/text/catalog-text.js';

export default class CatalogInfo extends BaseCommand {
  static override args = {
    id: Args.string({ description: 'id or alias', ignoreStdin: true, required: true }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b',
    '<%= config.bin %> <%= command.id %> gpt-oss-20b --json',
  ];
  static override flags = { catalog: catalogFlag };
  static override summary = 'show one model of the catalogue';

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(CatalogInfo);
    const entry = requireEntry(await loadCatalog(flags.catalog), args.id);
    if (!this.jsonEnabled()) {
      const { default: colors } = await import('chalk');
      this.log(catalogEntryText(entry, colors));
    }
    return catalogEntryJson(entry);
  }
}
