/** The bars in the colour of the poll, made light enough for a dark wall. */
import { useEffect } from 'preact/hooks';
import { contrastRatio } from '../parts/contrast.ts';

/** What is not text asks for 3 to 1 (WCAG 2.2, 1.4.11). */
const ratioMin = 3;
const steps = 20;
const whitest = 255;
const channelStarts = [1, 3, 5] as const;

export function useProjectorColor(color: string | null): void {
  useEffect(() => {
    if (color === null) return undefined;
    const { style } = document.body;
    const ground = getComputedStyle(document.body).getPropertyValue('--track').trim();
    const lead = toLightEnough(color, ground);
    style.setProperty('--bar-lead', lead);
    style.setProperty('--bar', `color-mix(in srgb, ${lead} 50%, ${ground})`);
    return () => {
      for (const name of ['--bar-lead', '--bar']) style.removeProperty(name);
    };
  }, [color]);
}

/** The colour, with as much white in it as it needs to stand out from a dark ground. Colours as `#rrggbb`. */
export function toLightEnough(color: string, ground: string): string {
  for (let step = 0; step < steps; step += 1) {
    const lighter = mixWithWhite(color, step / steps);
    if (contrastRatio(lighter, ground) >= ratioMin) return lighter;
  }
  return '#ffffff';
}

function mixWithWhite(color: string, part: number): string {
  const channels = channelStarts.map((start) => {
    const value = Number.parseInt(color.slice(start, start + 2), 16);
    return Math.round(value + (whitest - value) * part)
      .toString(16)
      .padStart(2, '0');
  });
  return `#${channels.join('')}`;
}
