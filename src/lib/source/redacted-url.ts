import { printable } from '../printable.js';

/** A URL as messages may show it: without user, password, query and fragment, which can hold secrets; a long one is cut. */
export function redactedUrl(url: URL): string {
  return printable(bareUrl(url));
}

/** Of what `URL` leaves in a path nothing acts on a terminal. */
function bareUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}

/** A source as answers may show it: an address without user, password, query and fragment, any other as it is. */
export function redactedSource(source: string): string {
  return /^[a-z][a-z0-9+.-]{1,30}:\/\//i.test(source) && URL.canParse(source) ? bareUrl(new URL(source)) : source;
}
