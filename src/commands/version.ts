import { BaseCommand } from '../lib/cli/base-command.js';
import { llamaCpp } from '../lib/runtime/llama-cpp.js';

export default class Version extends BaseCommand {
  static override description =
    'The versions of this program, of Node, and of the llama.cpp whose figures are given where none is named or found.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override summary = 'say which version this is';

  async run(): Promise<Record<string, string>> {
    await this.parse(Version);
    const { version } = this.config;
    const versions = { llmkube: version, node: process.version, llamaCpp: llamaCpp().name };
    this.log(`llmkube ${version}, Node ${process.version}, llama.cpp ${versions.llamaCpp}`);
    return versions;
  }
}
