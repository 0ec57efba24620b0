/** How well two colours can be told apart (WCAG 2.2, "contrast ratio" and "relative luminance"). */

const shortLength = '#rgb'.length;

/** From 1 (the same) to 21 (black on white). Colours as `#rrggbb`, or `#rgb`, which is how builds shorten them. */
export function contrastRatio(colorA: string, colorB: string): number {
  const [a, b] = [toLuminance(colorA), toLuminance(colorB)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function toLuminance(written: string): number {
  const color = written.length === shortLength ? written.replaceAll(/[\da-f]/giu, '$&$&') : written;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
