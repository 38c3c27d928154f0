import { spawn } from 'node:child_process';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { macLogFile } from '../../lib/agent/setup/service-files.js';
import { readable, serverLog } from '../../lib/cli/agent/log-file.js';
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
    const { home } = serviceControl();
    const follow = flags.follow ? ['-f'] : [];
    const isJournal = args.service === undefined && process.platform === 'linux';
    const [program, words] = isJournal
      ? ['journalctl', ['--user', '-u', 'llmkube-agent', '-n', '200', ...follow]]
      : [
          'tail',
          [
            '-n',
            '200',
            ...follow,
            args.service === undefined ? agentLog(home) : serverLog(args.service, flags['agent-id']),
          ],
        ];
    const child = spawn(program, words, { stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', () => reject(new UsageError('SERVICE_MANAGER', `${program} is not on this machine`)));
      child.once('exit', (code) => resolve(code ?? 1));
    });
  }
}

function agentLog(home: string): string {
  return readable(macLogFile(home), 'the agent has written no log on this machine', [
    'llmkube agent status says whether it is installed',
  ]);
}
