import { ClusterError } from '../../errors.js';
import { withoutNamedSecrets } from './named-secrets.js';

const CERTIFICATE_CODE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;
/** Of a server that does not speak TLS, or another one of it. */
const TLS_CODE = /EPROTO|ERR_SSL/;
/** What hpagent says of an answer to CONNECT that is not 200, at the end of what node-fetch says of the request. */
const PROXY_REFUSAL = /\bBad response: (?<status>\d+)$/;
const SWITCHING = 101;
const LONGEST_COMPLAINT = 300;
const RESET_CODES = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** The error of a call that got no answer. `error` is what node-fetch or client-node threw. */
export function connectionError(error: unknown, server: string): ClusterError {
  const { code = '', message } = error as Error & { code?: string };
  if (CERTIFICATE_CODE.test(code)) {
    return new ClusterError('CLUSTER_CERTIFICATE', `the certificate of ${server} was not accepted (${code})`, {
      suggestions: ["check the kubeconfig's certificate-authority for this cluster, and the clock of this machine"],
    });
  }
  if (TLS_CODE.test(code)) {
    return new ClusterError('CLUSTER_UNREACHABLE', `no encrypted connection to ${server} comes about (${code})`, {
      suggestions: ['check that the server address in the kubeconfig is one of https, and any proxy in between'],
    });
  }
  const refusal = PROXY_REFUSAL.exec(message)?.groups?.status;
  if (refusal !== undefined) return proxyRefusal(server, Number(refusal));
  const why = code === '' ? message : code;
  return new ClusterError('CLUSTER_UNREACHABLE', `the cluster at ${server} cannot be reached (${why})`, {
    suggestions: ['check that it runs and that the network or VPN is up', 'check --kubeconfig and --kube-context'],
  });
}

/** The error of a server that answers 101 to a request that asks for no other protocol. */
export function otherProtocol(server: string): ClusterError {
  return new ClusterError('CLUSTER_UNEXPECTED_ANSWER', `${server} answers 101, another protocol than HTTP`, {
    suggestions: ['check the server address in the kubeconfig, and any proxy in between'],
  });
}

function proxyRefusal(server: string, status: number): ClusterError {
  const answer = status === SWITCHING ? `${status}, another protocol than HTTP` : String(status);
  return new ClusterError(
    'CLUSTER_UNREACHABLE',
    `the proxy before ${server} does not connect to it: it answers ${answer}`,
    {
      suggestions: ["check HTTPS_PROXY and NO_PROXY, or the kubeconfig's proxy-url for this cluster"],
    },
  );
}

export function noAnswerInTime(server: string): ClusterError {
  return new ClusterError('CLUSTER_TIMEOUT', `the cluster at ${server} did not answer in time`, {
    suggestions: ['check the network or VPN, then run the same command again'],
  });
}

/** An answer that was not read to its end. */
export class TooLargeAnswer extends ClusterError {
  constructor(server: string, limitBytes: number) {
    const limit = `${limitBytes / 2 ** 20} MiB`;
    super('CLUSTER_UNEXPECTED_ANSWER', `${server} sends an answer of more than ${limit}, which was not read`, {
      suggestions: ['check the server address in the kubeconfig, and any proxy in between'],
    });
  }
}

/** The error of a call that Ctrl-C ended. */
export function interrupted(): ClusterError {
  return new ClusterError('INTERRUPTED', 'interrupted before the cluster answered', {
    suggestions: ['see what is there with: llmkube list'],
  });
}

/** Whether the connection broke after it was made, so that asking once more makes sense. */
export function isBrokenConnection(error: unknown): boolean {
  return RESET_CODES.has((error as { code?: string }).code ?? '');
}

/**
 * The error of credentials that could not be had (an exec plugin, a file). What a plugin prints on stdout may be the
 * credential itself, so a complaint about that text is not passed on.
 */
export function credentialsError(error: unknown, clean: (text: string) => string): ClusterError {
  const { code, message, syscall, path } = error as Error & { code?: string; syscall?: string; path?: string };
  const plugin = syscall?.startsWith('spawn') ? `the plugin "${path}" is not installed` : undefined;
  const file = code === 'ENOENT' && plugin === undefined ? `${path} does not exist` : undefined;
  const printed =
    error instanceof SyntaxError
      ? 'its plugin printed something that is not a credential'
      : withoutNamedSecrets(clean(message)).slice(0, LONGEST_COMPLAINT);
  return new ClusterError('CREDENTIALS_FAILED', `no credentials for the cluster: ${plugin ?? file ?? printed}`, {
    suggestions: ['run the plugin that the kubeconfig names by hand, or log in again'],
  });
}
