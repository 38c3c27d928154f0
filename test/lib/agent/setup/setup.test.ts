import { describe, expect, test } from '@jest/globals';
import { agentManifests } from '../../../../src/lib/agent/setup/agent-manifests.js';
import { SERVICE_MANAGERS } from '../../../../src/lib/agent/setup/service-files.js';

const service = {
  home: '/Users/a',
  command: ['/usr/bin/node', '/opt/llm kube/run.js', 'agent', 'run', '--memory-fraction', '0.5', '-n', 'a&b'],
  env: { PATH: '/bin', HTTPS_PROXY: 'http://p/?a=1&b=<2>%h$x' },
};

/** As `plutil` reads it, as far as these files go: nested dictionaries, lists, texts, whole numbers, truth values. */
function parsePlist(xml: string): unknown {
  const tokens = [...xml.matchAll(/<(\/?)(dict|array|key|string|integer|true|false)(\/?)>([^<]*)/g)];
  let at = 0;
  const text = (raw = ''): string => raw.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  const value = (): unknown => {
    const [, , name, , content] = tokens[at++] ?? [];
    if (name === 'true' || name === 'false') return name === 'true';
    if (name === 'string' || name === 'key' || name === 'integer') {
      at += 1;
      return name === 'integer' ? Number(content) : text(content);
    }
    const items: unknown[] = [];
    while (tokens[at]?.[1] !== '/') items.push(value());
    at += 1;
    if (name === 'array') return items;
    return Object.fromEntries(items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1]]] : [])));
  };
  return value();
}

describe('what keeps the agent running', () => {
  test('launchd starts it at login and again after a failure, and leaves its servers alone', () => {
    expect(parsePlist(SERVICE_MANAGERS.darwin?.text(service) ?? '')).toEqual({
      Label: 'com.llmkube.agent',
      ProgramArguments: service.command,
      EnvironmentVariables: service.env,
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 30,
      AbandonProcessGroup: true,
      ProcessType: 'Interactive',
      StandardOutPath: '/Users/a/Library/Logs/llmkube/agent.log',
      StandardErrorPath: '/Users/a/Library/Logs/llmkube/agent.log',
    });
  });

  test('systemd ends only the agent, and reads words, per cents and dollars as they are', () => {
    const unit = SERVICE_MANAGERS.linux?.text(service) ?? '';
    expect(unit).toContain('ExecStart="/usr/bin/node" "/opt/llm kube/run.js" "agent" "run"');
    expect(unit).toContain('Environment="HTTPS_PROXY=http://p/?a=1&b=<2>%%h$x"');
    expect(unit).toContain('KillMode=process');
  });
});

test('an agent of one namespace has a Role there, one of all a ClusterRole, and neither may touch a service’s spec by PUT', () => {
  const kinds = (namespace: string | undefined) =>
    agentManifests({ namespace, accountNamespace: 'x' }).map(({ kind }) => kind);
  expect(kinds('models')).toEqual(['ServiceAccount', 'Secret', 'Role', 'RoleBinding']);
  expect(kinds(undefined)).toEqual(['ServiceAccount', 'Secret', 'ClusterRole', 'ClusterRoleBinding']);
  expect(JSON.stringify(agentManifests({ namespace: 'models', accountNamespace: 'x' }))).not.toContain('update');
});
