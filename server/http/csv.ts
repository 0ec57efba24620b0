/** Comma-separated values (RFC 4180) that are safe to open: spreadsheets take cells that begin with one of these characters, narrow or wide, for formulas. */
const formulaStart = /^[=+\-@\t\r\n＝＋－＠]/u;

export function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(toCell).join(',')}\r\n`).join('');
}

function toCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = formulaStart.test(value) ? `'${value}` : value;
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
