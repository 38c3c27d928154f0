import type { Agent, ClientRequest } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpAnswer, requestFailure } from './http-answer.js';
import { COMMON_HEADERS, openAgent, type SendRequest, watch } from './http-request.js';

/** What Node's client asks of an agent, which its types leave out. */
interface SendingAgent extends Agent {
  addRequest(request: ClientRequest, options: unknown): void;
}

/** With node-fetch, which unpacks compressed answers: for lists, which shrink to a tenth. */
export const fetchRequest: SendRequest = async (url, headers, context) => {
  const { default: fetch } = await import('node-fetch');
  const agent = (await openAgent(url, context)) as SendingAgent;
  return new Promise((resolve, reject) => {
    let abort = (): void => undefined;
    // node-fetch keeps its request, on which all time-outs hang, to itself; the agent gets to see it.
    const watching = Object.create(agent, {
      addRequest: {
        value: (request: ClientRequest, options: unknown) => {
          abort = () => void request.destroy();
          watch(request, url, context, reject);
          agent.addRequest(request, options);
        },
      },
    }) as Agent;
    fetch(url, { agent: watching, headers: { ...COMMON_HEADERS, ...headers }, redirect: 'manual' }).then(
      ({ status, headers: answered, body }) => {
        const header = (name: string): string | undefined => answered.get(name) ?? undefined;
        resolve(new HttpAnswer({ url, status, header, body: body as Readable, abort }, context));
      },
      (error: unknown) => reject(requestFailure(error, url, context)),
    );
  });
};
