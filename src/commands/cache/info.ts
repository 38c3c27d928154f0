import { BaseCommand } from '../../lib/cli/base-command.js';
import { harmless } from '../../lib/printable.js';
import { formatSize } from '../../lib/report/words/bytes.js';
import { CacheFolder, type CacheUsage } from '../../lib/source/cache/cache-folder.js';

export default class CacheInfo extends BaseCommand {
  static override description = 'show where headers that were read are kept, how many, and how much space they take';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<CacheUsage> {
    await this.parse(CacheInfo);
    const usage = await new CacheFolder(this.config.cacheDir).usage();
    this.log(harmless(usage.path));
    this.log(`entries: ${usage.entries}`);
    this.log(`size: ${formatSize(usage.bytes)}`);
    return usage;
  }
}
