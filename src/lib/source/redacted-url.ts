import { printable } from '../printable.js';

/** A URL as messages and the cache may show it: without user, password, query and fragment, which can hold secrets. */
export function redactedUrl(url: URL): string {
  return printable(`${url.protocol}//${url.host}${url.pathname}`);
}
