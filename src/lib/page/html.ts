import { printable } from '../printable.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML, within an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Foreign text, which may hold anything, as HTML. */
export function foreign(text: string): string {
  return escapeHtml(printable(text));
}

/** Text of ours that may repeat foreign words, whole, since sentences and commands are longer than names. */
export function wholeText(text: string): string {
  return escapeHtml(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd'));
}
