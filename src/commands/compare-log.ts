import * as Args from '@oclif/core/args';
import { BaseCommand } from '../lib/cli/base-command.js';
import { checkDependencies } from '../lib/cli/check-command.js';
import { surroundingsOf } from '../lib/cli/surroundings.js';
import { checkRequest } from '../lib/cli/check-request.js';
import { fileFlag, launchFlags } from '../lib/cli/flags/launch-flags.js';
import { modelFlags } from '../lib/cli/flags/model-flags.js';
import { UsageError } from '../lib/errors.js';
import { describeModel } from '../lib/model/describe-model.js';
import { compareLog } from '../lib/preflight/surveys/compare-log.js';
import { shown } from '../lib/printable.js';
import { readRegularFile, readStandardInput } from '../lib/read-regular-file.js';
import { whyNotRead } from '../lib/system-words.js';
import { resolveModel } from '../lib/preflight/resolve-model.js';
import { logText } from '../lib/report/text/log-text.js';
import { combineLaunch } from '../lib/runtime/combine-launch.js';
import { llamaCpp } from '../lib/runtime/llama-cpp.js';
import { parseServerLog, type ServerLog } from '../lib/runtime/server-log.js';

export default class CompareLog extends BaseCommand {
  static override args = {
    log: Args.string({ description: "llama-server's output, in a file; - = standard input", required: true }),
    model: Args.string({ description: 'the model that was loaded (default: the file that the log names)' }),
  };
  static override description = `Reads the lines "… buffer size = …" that llama-server prints while it starts, and estimates the same launch: context, \
slots, batches, cache types, layers and GPUs are taken from the log, what it does not tell from the flags.

Exit codes: 0 every part is equal, 1 some are not, 2 usage, 3 the model could not be read or estimated.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> server.log',
    '<%= config.bin %> <%= command.id %> server.log ./model.gguf --extra-args "--cpu-moe"',
  ];
  static override flags = { ...launchFlags, ...fileFlag, ...modelFlags };
  static override summary = 'hold the estimate against the log of a llama-server that ran';

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(CompareLog);
    const log = await readLog(args.log);
    const typed = args.model ?? log.modelPath;
    if (typed === undefined) {
      throw new UsageError('LOG_WITHOUT_MODEL', `${args.log} does not say which model was loaded`, {
        suggestions: ['name it after the log'],
      });
    }
    const dependencies = checkDependencies(surroundingsOf(this.config, flags, this.jsonEnabled()));
    const model = resolveModel(typed, await dependencies.loadCatalog(), flags);
    const { header, notes } = await dependencies.readHeader(model);
    const asked = (await checkRequest(typed, flags)).launch;
    const namesVersion = flags['llama-cpp'] !== undefined && flags['llama-cpp'] !== 'auto';
    const version = namesVersion ? asked.llamaCpp : (log.launch.llamaCpp ?? asked.llamaCpp);
    const { launch } = combineLaunch({
      accelerator: flags.accelerator ?? log.accelerator,
      cpuArch: log.cpuArch,
      defaults: log.launch,
      flags: { ...asked, ...(version !== undefined && { llamaCpp: version }) },
      extraArgs: [flags['extra-args'] ?? []].flat(),
    });
    const { name, notes: remarks } = llamaCpp(launch.llamaCpp);
    const warnings = [...notes, ...remarks];
    const parts = compareLog(log, describeModel(header), launch);
    const isEqual = parts.every(({ differenceBytes }) => differenceBytes === 0);
    if (!isEqual) process.exitCode = 1;
    if (!this.jsonEnabled()) this.log(logText(parts, name, (await import('chalk')).default));
    for (const note of warnings) this.notice(`Note: ${note}`);
    return { model: typed, llamaCpp: name, launch, parts, equal: isEqual, warnings };
  }
}

/** A start prints some hundred lines; days of requests after it may follow. */
const MAX_LOG_BYTES = 16 * 2 ** 20;

async function readLog(path: string): Promise<ServerLog> {
  const reading = path === '-' ? readStandardInput(MAX_LOG_BYTES) : readRegularFile(path, MAX_LOG_BYTES);
  const text = await reading.catch((error: NodeJS.ErrnoException) => {
    throw new UsageError('LOG_NOT_READABLE', `${shown(path)} cannot be read: ${whyNotRead(error) ?? error.message}`, {
      suggestions: ['name a file with the lines of one start, or pipe them in: … | llmkube compare-log -'],
    });
  });
  const log = parseServerLog(text);
  if (log.buffers.length > 0) return log;
  throw new UsageError('LOG_WITHOUT_BUFFERS', `${path} has none of llama-server's lines "buffer size = "`, {
    suggestions: ['have it print them with -lv 4'],
  });
}
