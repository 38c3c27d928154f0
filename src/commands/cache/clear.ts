import { BaseCommand } from '../../lib/cli/base-command.js';
import { CacheFolder, type CacheUsage } from '../../lib/source/cache/cache-folder.js';

export default class CacheClear extends BaseCommand {
  static override description = 'forget all headers that were read';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ removed: CacheUsage }> {
    await this.parse(CacheClear);
    const removed = await new CacheFolder(this.config.cacheDir).clear();
    this.log(`emptied ${removed.path}`);
    this.log(`entries removed: ${removed.entries}`);
    return { removed };
  }
}
