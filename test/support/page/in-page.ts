/// <reference lib="dom" />

/** By label, by aria-label, by what aria-labelledby refers to, or by its own text. Runs in the page. */
export function nameOf(element: Element): string {
  const labels = (element as HTMLInputElement).labels ?? [];
  const labelled = document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent;
  const label = [...labels].map(({ textContent }) => textContent).join(' ');
  return (label || element.getAttribute('aria-label') || labelled || element.textContent || '').trim();
}

/** WCAG's contrast of every element's own text with what is behind it. Runs in the page. */
export function contrastsOf(): { readonly text: string; readonly ratio: number }[] {
  const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: Element | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const color = getComputedStyle(element).backgroundColor;
    return channels(color)[3] === 0 ? behind(element.parentElement) : color;
  };
  const found: { text: string; ratio: number }[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ textContent }) => textContent);
    const own = text.join('').trim();
    if (own === '' || element.getClientRects().length === 0 || element instanceof HTMLScriptElement) continue;
    const style = getComputedStyle(element);
    const ink = luminance(element instanceof SVGElement ? style.fill : style.color);
    const paper = luminance(behind(element));
    found.push({ text: own.slice(0, 40), ratio: (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) });
  }
  return found;
}
