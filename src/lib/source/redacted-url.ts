import { printable } from '../printable.js';

/** A URL as messages and the cache may show it: without user, password, query and fragment, which can hold secrets. */
export function redactedUrl(url: URL): string {
  return printable(`${url.protocol}//${url.host}${url.pathname}`);
}

/** A source as answers may show it: an address without user, password, query and fragment, any other as it is. */
export function redactedSource(source: string): string {
  return /^[a-z][a-z0-9+.-]{1,30}:\/\//i.test(source) && URL.canParse(source) ? redactedUrl(new URL(source)) : source;
}
