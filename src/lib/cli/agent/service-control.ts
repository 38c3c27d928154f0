import { spawnSync } from 'node:child_process';
import { SERVICE_MANAGERS, type ServiceManager } from '../../agent/setup/service-files.js';
import { UsageError } from '../../errors.js';
import { homeFolder } from '../../home-folder.js';

/** This system's manager of services, and the user whose services it runs. */
export interface ServiceControl {
  readonly manager: ServiceManager;
  readonly home: string;
  readonly uid: number;
}

/** @throws UsageError NOT_HERE */
export function serviceControl(platform: NodeJS.Platform = process.platform): ServiceControl {
  if (platform !== 'darwin' && platform !== 'linux') {
    throw new UsageError('NOT_HERE', `there is no way to install the agent on ${platform}`, {
      suggestions: ['keep it running by other means: llmkube agent run'],
    });
  }
  return { manager: SERVICE_MANAGERS[platform], home: homeFolder(), uid: process.getuid?.() ?? 0 };
}

/** What a command printed and how it ended; a program that is not there ends with 127. */
export function runCommand([program = '', ...args]: readonly string[]): {
  readonly code: number;
  readonly text: string;
} {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { code: status ?? 127, text: `${stdout ?? ''}${stderr ?? ''}`.trimEnd() };
}

/** @throws UsageError SERVICE_MANAGER when one of them fails */
export function runAll(commands: readonly (readonly string[])[]): void {
  for (const command of commands) {
    const { code, text } = runCommand(command);
    if (code === 0) continue;
    throw new UsageError('SERVICE_MANAGER', `${command.join(' ')} failed (exit code ${code})${text && `: ${text}`}`);
  }
}
