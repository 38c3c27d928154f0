import * as Flags from '@oclif/core/flags';
import { LOG_LEVELS } from '../../agent/log.js';
import { CHECK_MODES } from '../../agent/core/memory-rules.js';

/** LLMKube's own agent has the same names and defaults, where it has them. */
export const agentFlags = {
  namespace: Flags.string({
    char: 'n',
    default: 'default',
    description: 'namespace whose services are run; empty = all',
    env: 'LLMKUBE_AGENT_NAMESPACE',
  }),
  kubeconfig: Flags.string({ description: 'kubeconfig file', env: 'LLMKUBE_AGENT_KUBECONFIG', helpValue: 'FILE' }),
  'kube-context': Flags.string({
    description: "the kubeconfig's context",
    env: 'LLMKUBE_AGENT_KUBE_CONTEXT',
    helpValue: 'NAME',
  }),
  'agent-id': Flags.string({
    description: 'name of this agent in claims and annotations (default: the host’s name)',
    env: 'LLMKUBE_AGENT_ID',
  }),
  accelerator: Flags.string({
    description: 'what llama-server runs on here (default: metal on Apple silicon, else cpu)',
    env: 'LLMKUBE_AGENT_ACCELERATOR',
    options: ['metal', 'cpu', 'cuda', 'rocm', 'vulkan'],
  }),
  'model-store': Flags.string({
    description: 'folder for models that are fetched (default: models in the state folder)',
    env: 'LLMKUBE_AGENT_MODEL_STORE',
    helpValue: 'FOLDER',
  }),
  'allowed-model-roots': Flags.string({
    description: 'folders, separated by commas, from which models are used where they lie',
    env: 'LLMKUBE_AGENT_ALLOWED_MODEL_ROOTS',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'allowed-download-hosts': Flags.string({
    description: 'hosts on private addresses, separated by commas, that models may be fetched from',
    env: 'LLMKUBE_AGENT_ALLOWED_DOWNLOAD_HOSTS',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'llama-server': Flags.string({
    description: 'the llama-server to run (default: Homebrew’s, else the first of PATH)',
    env: 'LLMKUBE_AGENT_LLAMA_SERVER',
    helpValue: 'FILE',
  }),
  'llama-server-startup-timeout': Flags.string({
    default: '120s',
    description: 'how long a model may take to load',
    env: 'LLMKUBE_AGENT_LLAMA_SERVER_STARTUP_TIMEOUT',
  }),
  threads: Flags.string({ description: 'threads of each server', env: 'LLMKUBE_AGENT_THREADS' }),
  'host-ip': Flags.string({
    description:
      'address that servers listen on and the cluster reaches them by; "auto" = that of this host’s network; default: this machine only',
    env: 'LLMKUBE_AGENT_HOST_IP',
  }),
  port: Flags.string({
    default: '9090',
    description: 'loopback port of /healthz, /readyz and /metrics; 0 = none',
    env: 'LLMKUBE_AGENT_PORT',
  }),
  'memory-fraction': Flags.string({
    description: 'share of the memory that services may use (default: 0.67 up to 36GB, 0.75 above)',
    env: 'LLMKUBE_AGENT_MEMORY_FRACTION',
  }),
  'memory-budget': Flags.string({
    description: 'absolute budget for all services together, such as 24Gi',
    env: 'LLMKUBE_AGENT_MEMORY_BUDGET',
  }),
  'gpu-memory': Flags.string({
    description: 'memory of a discrete GPU, where it cannot be measured',
    env: 'LLMKUBE_AGENT_GPU_MEMORY',
  }),
  'memory-check-mode': Flags.string({
    default: 'enforce',
    description: 'warn: start what does not fit, and say so; what could not be checked is never started',
    env: 'LLMKUBE_AGENT_MEMORY_CHECK_MODE',
    options: [...CHECK_MODES],
  }),
  eviction: Flags.boolean({
    description: 'under critical memory pressure end services, the least important first, until it is over',
    env: 'LLMKUBE_AGENT_EVICTION',
  }),
  'inference-service-allowlist': Flags.string({
    description: 'names of services, separated by commas (default: all)',
    env: 'LLMKUBE_AGENT_INFERENCE_SERVICE_ALLOWLIST',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'log-level': Flags.string({
    default: 'info',
    env: 'LLMKUBE_AGENT_LOG_LEVEL',
    options: [...LOG_LEVELS],
    description: 'least level that is logged',
  }),
  'log-format': Flags.string({
    description: 'default: text on a terminal, else json',
    env: 'LLMKUBE_AGENT_LOG_FORMAT',
    options: ['json', 'text'],
  }),
  once: Flags.boolean({ description: 'take every service to where it stays, then end; servers go on' }),
};
