/** QR codes (ISO/IEC 18004) as pictures that scale: black on white whatever the theme, with the quiet zone of four modules that scanners ask for. */
import { encode } from 'uqr';

const quietModules = 4;

export function toQrSvg(text: string): string {
  const { size, data } = encode(text, { ecc: 'M', border: quietModules });
  const path = data.flatMap((row, y) => toRuns(row, y)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${path}"/></svg>`;
}

/** One rectangle for each run of dark modules in a row. */
function toRuns(row: readonly boolean[], y: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < row.length; x += 1) {
    if (row[x] !== true) continue;
    const start = x;
    while (row[x + 1] === true) x += 1;
    runs.push(`M${start} ${y}h${x - start + 1}v1H${start}z`);
  }
  return runs;
}
