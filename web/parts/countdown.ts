/** How a page says how long something still takes. */

/** `04:12`, `1:04:12` from an hour on, and days as `3 d 04:12:00`. Never below zero. Milliseconds. */
export function toCountdownText(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const clock = `${twoDigits(minutes)}:${twoDigits(seconds % 60)}`;
  if (days > 0) return `${days} d ${twoDigits(hours)}:${clock}`;
  return hours > 0 ? `${hours}:${clock}` : clock;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
