import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { EXEC_FLAGS } from '../lib/cli/exec/exec-options.js';
import { runExec } from '../lib/cli/exec/run-exec.js';

export default class Exec extends BaseCommand {
  static override description = `Reads what llama-server is going to load from its command line and LLAMA_ARG_* as llama-server itself does, holds it \
against the memory of this machine as it is now and what is promised to others on it, and runs the program only if it fits. \
Signals go on to it, its exit code comes back, its input and output are untouched. --version and --help are passed through, \
and so is a call without a model, with a note that nothing of what it loads later is checked. Programs that become llama-server \
(env, nice, taskset, …) are looked through; another program than llama-server is refused.

Exit codes: the program's own, or 1 does not fit, 2 usage, 3 could not be checked; then nothing was started.`;
  static override enableJsonFlag = false;
  static override examples = [
    '<%= config.bin %> <%= command.id %> -- llama-server -m model.gguf -c 8192',
    '<%= config.bin %> <%= command.id %> --accelerator cuda -- /opt/llama.cpp/llama-server -hf owner/model-GGUF:Q4_K_M',
  ];
  static override flags = Object.fromEntries(
    Object.entries(EXEC_FLAGS).map(([name, { env, description }]) => [
      name,
      Flags.string({ description, ...(env && { env }) }),
    ]),
  );
  static override strict = false;
  static override summary = 'run llama-server only if it fits this machine now';
  static override usage = '<%= command.id %> [FLAGS] -- llama-server -m MODEL [OPTIONS]';

  async run(): Promise<void> {
    await runExec(process.argv.slice(3), this.config.cacheDir);
  }
}
