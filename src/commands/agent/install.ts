import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { macLogFile } from '../../lib/agent/setup/service-files.js';
import { runAll, serviceControl } from '../../lib/cli/agent/service-control.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { UsageError } from '../../lib/errors.js';
import { isHarmless, shown } from '../../lib/printable.js';
import { whyNotWritten } from '../../lib/system-words.js';

/** What the agent needs of the environment that it is installed from. */
const PASSED_ON = [
  ...['PATH', 'KUBECONFIG', 'LLMKUBE_STATE_DIR', 'XDG_STATE_HOME', 'LLMKUBE_LLAMA_SERVER'],
  ...['HTTPS_PROXY', 'NO_PROXY'],
];

export default class AgentInstall extends BaseCommand {
  static override description = `Writes a launchd agent (macOS) or a systemd user unit (Linux) that keeps \`llmkube agent run\` running, and starts it. What \
stands behind -- are its flags; LLMKUBE_AGENT_* of the environment are kept, too.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> -- --host-ip auto -n models',
    '<%= config.bin %> <%= command.id %> --dry-run',
  ];
  static override flags = { 'dry-run': Flags.boolean({ description: 'print the file; write and start nothing' }) };
  static override strict = false;
  static override summary = 'keep the agent running on this machine, from now on and after a restart';

  async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(AgentInstall);
    const { manager, home, uid } = serviceControl();
    const file = manager.file(home);
    const [, script = ''] = process.argv;
    const command = [process.execPath, script, 'agent', 'run', ...(argv as string[])];
    const env = environment();
    for (const word of [...command, ...Object.values(env)]) refuseControl(word);
    const text = manager.text({ home, command, env });
    if (flags['dry-run']) {
      this.write(text.trimEnd());
      return { file, text };
    }
    try {
      mkdirSync(dirname(file), { recursive: true });
      if (process.platform === 'darwin') mkdirSync(dirname(macLogFile(home)), { recursive: true });
      writeFileSync(file, text, { mode: 0o600 });
    } catch (error) {
      const reason = whyNotWritten(error);
      if (reason === undefined) throw error;
      throw new UsageError('SERVICE_MANAGER', `${shown(file)} cannot be written: ${reason}`);
    }
    runAll(manager.start(file, uid));
    this.log(`installed ${file}`);
    return { file, text };
  }
}

/** It would be another line of the file, or act on the terminal that shows it. */
function refuseControl(word: string): void {
  if (!/\p{Cc}/u.test(word) && isHarmless(word)) return;
  throw new UsageError(
    'NOT_ALLOWED',
    `${shown(word)} has characters that the agent is not started with; write it without`,
  );
}

function environment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => PASSED_ON.includes(name) || name.startsWith('LLMKUBE_AGENT_'),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
