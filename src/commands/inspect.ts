import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { checkDependencies } from '../lib/cli/check-command.js';
import { surroundingsOf } from '../lib/cli/surroundings.js';
import { fileFlag, launchFlags } from '../lib/cli/flags/launch-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { inspectHeader } from '../lib/model/inspect-header.js';
import { resolveModel } from '../lib/preflight/resolve-model.js';
import { inspectJson } from '../lib/report/json/inspect-json.js';
import { inspectText, metadataText, tensorsText } from '../lib/report/text/inspect-text.js';
import { pathRead, type ModelHeader } from '../lib/source/model-header.js';

interface Lists {
  readonly metadata: boolean;
  readonly tensors: boolean;
}

export default class Inspect extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Reads nothing but the header: architecture, layers, heads, windows, experts, context, vocabulary, tensor types by \
share of bytes, largest tensors, licence, parts.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b',
    '<%= config.bin %> <%= command.id %> ./model.gguf --metadata --tensors',
    '<%= config.bin %> <%= command.id %> hf:Qwen/Qwen3-0.6B-GGUF:Q8_0 --json',
  ];
  static override flags = {
    quantization: launchFlags.quantization,
    ...fileFlag,
    metadata: Flags.boolean({ description: 'list every key of the header' }),
    tensors: Flags.boolean({ description: 'list every tensor' }),
    ...modelFlags,
  };
  static override summary = "show what a model's header says";

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Inspect);
    const dependencies = checkDependencies(surroundingsOf(this.config, flags, this.jsonEnabled()));
    const model = resolveModel(args.model, await dependencies.loadCatalog(), flags);
    const reading = await dependencies.readHeader(model);
    if (this.jsonEnabled()) return inspectJson(model.source, reading, flags);
    await this.print(reading, model.source, flags);
    return {};
  }

  private async print(reading: ModelHeader, source: string, { metadata, tensors }: Lists): Promise<void> {
    const { default: colors } = await import('chalk');
    const { header, notes } = reading;
    this.log(inspectText(inspectHeader(header, pathRead(reading, source)), colors));
    if (metadata) this.log(`\n${metadataText(header.metadata, colors)}`);
    if (tensors) {
      this.log('');
      await this.logPieces(tensorsText(header.tensors, header.files.length, colors));
    }
    for (const note of notes) this.notice(`Note: ${note}`);
  }
}
