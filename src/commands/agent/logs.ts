import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { defaultAgentId } from '../../lib/agent/agent.js';
import { logFileOf } from '../../lib/agent/machine/server-record.js';
import { macLogFile } from '../../lib/agent/setup/service-files.js';
import { passedOn } from '../../lib/cli/agent/passed-on.js';
import { serviceControl } from '../../lib/cli/agent/service-control.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { UsageError } from '../../lib/errors.js';
import { stateFolderPath } from '../../lib/guard/ledger/state-folder.js';
import { shown } from '../../lib/printable.js';

export default class AgentLogs extends BaseCommand {
  static override args = {
    service: Args.string({
      description: 'show the llama-server of this service, as NAMESPACE/NAME',
      ignoreStdin: true,
    }),
  };
  static override description = 'The log of the installed agent, or of the llama-server of one service.';
  static override enableJsonFlag = false;
  static override examples = [
    '<%= config.bin %> <%= command.id %> -f',
    '<%= config.bin %> <%= command.id %> models/qwen',
  ];
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'go on with what is written from now on' }),
    'agent-id': Flags.string({ description: 'name of the agent (default: the host’s name)', env: 'LLMKUBE_AGENT_ID' }),
  };
  static override summary = 'show the agent’s log, or a server’s';

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentLogs);
    const { home } = serviceControl();
    const follow = flags.follow ? ['-f'] : [];
    const file =
      args.service === undefined
        ? macLogFile(home)
        : logFileOf(
            join(stateFolderPath(), 'agents', encodeURIComponent(flags['agent-id'] ?? defaultAgentId())),
            args.service,
          );
    const isJournal = args.service === undefined && process.platform === 'linux';
    if (!isJournal && statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw noLog(file);
    const [program, words] = isJournal
      ? ['journalctl', ['--user', '-u', 'llmkube-agent', '-n', '200', ...follow]]
      : ['tail', ['-n', '200', ...follow, file]];
    const code = await passedOn(program, words);
    if (code !== 0) throw new UsageError('SERVICE_MANAGER', `${program} gives no log (exit code ${code})`);
  }
}

function noLog(file: string): UsageError {
  return new UsageError('NO_LOG', `there is no log at ${shown(file)}`, {
    suggestions: ['see what runs with: llmkube agent status, and name another agent with --agent-id'],
  });
}
