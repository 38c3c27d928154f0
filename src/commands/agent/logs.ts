import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { macLogFile } from '../../lib/agent/setup/service-files.js';
import { readable, serverLog } from '../../lib/cli/agent/readable-log.js';
import { passedOn } from '../../lib/cli/agent/passed-on.js';
import { serviceControl } from '../../lib/cli/agent/service-control.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { UsageError } from '../../lib/errors.js';

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
    const lines = ['-n', '200', ...(flags.follow ? ['-f'] : [])];
    const isJournal = args.service === undefined && process.platform === 'linux';
    const [program, words] = isJournal
      ? ['journalctl', ['--user', '-u', 'llmkube-agent', ...lines]]
      : ['tail', [...lines, args.service === undefined ? agentLog() : serverLog(args.service, flags['agent-id'])]];
    const code = await passedOn(program, words);
    if (code !== 0) throw new UsageError('SERVICE_MANAGER', `${program} gives no log (exit code ${code})`);
  }
}

function agentLog(): string {
  return readable(macLogFile(serviceControl().home), 'the agent has written no log on this machine', [
    'llmkube agent status says whether it is installed',
  ]);
}
