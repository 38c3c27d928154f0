import { loadCatalog } from '../../lib/catalog/load-catalog.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { catalogFlag } from '../../lib/cli/flags/model-flags.js';
import { widthIfRead } from '../../lib/cli/terminal/terminal-width.js';
import { catalogEntryJson } from '../../lib/report/json/catalog-json.js';
import { catalogTable, sortedCatalog } from '../../lib/report/text/catalog-text.js';

export default class CatalogList extends BaseCommand {
  static override description = `MEMORY is what llama-server takes with all layers on one device, from a context of 8192 tokens to the \
context that the entry is deployed with.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --catalog team-models.yaml --json',
  ];
  static override flags = { catalog: catalogFlag };
  static override summary = 'list the models that can be named by id';

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(CatalogList);
    const catalog = sortedCatalog(await loadCatalog(flags.catalog));
    if (!this.jsonEnabled()) {
      const { default: colors } = await import('chalk');
      this.log(catalogTable(catalog, colors, widthIfRead(process.stdout)));
    }
    return { models: catalog.map(catalogEntryJson) };
  }
}
