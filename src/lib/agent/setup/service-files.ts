import { join } from 'node:path';

/** The program as the system's own manager of services is to run it. */
export interface AgentService {
  readonly home: string;
  /** Program and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How one system keeps the agent running. */
export interface ServiceManager {
  readonly file: (home: string) => string;
  readonly text: (service: AgentService) => string;
  /** Commands, each run in turn. */
  readonly start: (file: string, uid: number) => readonly (readonly string[])[];
  readonly stop: (file: string, uid: number) => readonly (readonly string[])[];
  readonly status: (uid: number) => readonly string[];
}

const LABEL = 'com.llmkube.agent';
const UNIT = 'llmkube-agent.service';
/** Between two starts, in seconds. */
const THROTTLE = 30;

/** Where the agent's own log is on a Mac; systemd has a journal. */
export function macLogFile(home: string): string {
  return join(home, 'Library', 'Logs', 'llmkube', 'agent.log');
}

/** Servers outlive the agent on both: launchd does not end what left its process group, systemd is told to end one process only. */
export const SERVICE_MANAGERS: Readonly<Record<'darwin' | 'linux', ServiceManager>> = {
  darwin: {
    file: (home) => join(home, 'Library', 'LaunchAgents', `${LABEL}.plist`),
    text: plist,
    start: (file, uid) => [['launchctl', 'bootstrap', `gui/${uid}`, file]],
    stop: (_file, uid) => [['launchctl', 'bootout', `gui/${uid}/${LABEL}`]],
    status: (uid) => ['launchctl', 'print', `gui/${uid}/${LABEL}`],
  },
  linux: {
    file: (home) => join(home, '.config', 'systemd', 'user', UNIT),
    text: unit,
    start: () => [
      ['systemctl', '--user', 'daemon-reload'],
      ['systemctl', '--user', 'enable', '--now', UNIT],
    ],
    stop: () => [['systemctl', '--user', 'disable', '--now', UNIT]],
    status: () => ['systemctl', '--user', '--no-pager', 'status', UNIT],
  },
};

/** launchd.plist(5). */
function plist({ home, command, env }: AgentService): string {
  const log = macLogFile(home);
  const entries: readonly (readonly [string, string])[] = [
    ['Label', string(LABEL)],
    ['ProgramArguments', `<array>\n${command.map((word) => `      ${string(word)}`).join('\n')}\n    </array>`],
    [
      'EnvironmentVariables',
      dictionary(
        Object.entries(env).map(([key, value]) => [key, string(value)]),
        4,
      ),
    ],
    ['RunAtLoad', '<true/>'],
    ['KeepAlive', dictionary([['SuccessfulExit', '<false/>']], 4)],
    ['ThrottleInterval', `<integer>${THROTTLE}</integer>`],
    ['AbandonProcessGroup', '<true/>'],
    ['ProcessType', string('Interactive')],
    ['StandardOutPath', string(log)],
    ['StandardErrorPath', string(log)],
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    `  ${dictionary(entries, 2)}`,
    '</plist>',
    '',
  ].join('\n');
}

function dictionary(entries: readonly (readonly [string, string])[], indent: number): string {
  const blanks = ' '.repeat(indent);
  const lines = entries.map(([key, value]) => `${blanks}  <key>${escaped(key)}</key>\n${blanks}  ${value}`);
  return `<dict>\n${lines.join('\n')}\n${blanks}</dict>`;
}

function string(text: string): string {
  return `<string>${escaped(text)}</string>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** systemd.service(5). */
function unit({ command, env }: AgentService): string {
  return [
    '[Unit]',
    'Description=llmkube host agent',
    'After=network-online.target',
    '',
    '[Service]',
    `ExecStart=${command.map((word) => quoted(word).replaceAll('$', '$$$$')).join(' ')}`,
    ...Object.entries(env).map(([key, value]) => `Environment=${quoted(`${key}=${value}`)}`),
    'Restart=on-failure',
    `RestartSec=${THROTTLE}`,
    'KillMode=process',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
}

function quoted(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
