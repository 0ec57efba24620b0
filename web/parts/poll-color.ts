/** The accent that a poll brings along, where it can be read: on the ground of the page, and with text on it. */
import { useEffect } from 'preact/hooks';
import { contrastRatio } from './contrast.ts';

/** Text asks for 4.5 to 1 (WCAG 2.2, 1.4.3), also on the ground that is tinted with the colour: so a little more on the card. */
const cardRatioMin = 5;
const inkRatioMin = 4.5;
const colorPattern = /^#(?:[\da-f]{3}){1,2}$/iu;

export function usePollColor(color: string | null): void {
  useEffect(() => {
    if (color === null) return undefined;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const paint = (): void => setProperties(toProperties(color));
    paint();
    dark.addEventListener('change', paint);
    return () => {
      dark.removeEventListener('change', paint);
      setProperties(unset);
    };
  }, [color]);
}

const unset = { '--accent': '', '--accent-ink': '', '--bar-lead': '', '--tint': '' };

/** None where the colour could not be read in this theme. */
function toProperties(color: string): typeof unset {
  const card = getComputedStyle(document.documentElement).getPropertyValue('--card').trim();
  if (!colorPattern.test(card) || contrastRatio(color, card) < cardRatioMin) return unset;
  const ink = contrastRatio(color, '#ffffff') >= inkRatioMin ? '#ffffff' : '#0b1220';
  const tint = `color-mix(in srgb, ${color} 8%, var(--card))`;
  return { '--accent': color, '--accent-ink': ink, '--bar-lead': color, '--tint': tint };
}

function setProperties(properties: typeof unset): void {
  for (const [name, value] of Object.entries(properties)) document.documentElement.style.setProperty(name, value);
}
