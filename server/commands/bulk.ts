/** `hustings bulk`: sends the ballots of a file to a running server, batch after batch, and says what became of them. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { batchBallotsMax, ndjsonMediaType } from '../http/routes/batch.ts';

export type BulkOptions = { readonly file: string; readonly poll: string; readonly url: string };

export type BulkReport = {
  readonly counted: number;
  /** By error code. */
  readonly refused: ReadonlyMap<string, number>;
};

type OutcomeLine = {
  readonly line: number;
  readonly outcome: 'counted' | 'refused';
  readonly code?: string;
  readonly detail?: string;
};

/**
 * Ballots that carry an `idempotencyKey` can be sent again after any failure: they count once.
 * @param onRefused is called for each refused ballot with its line in the file, from 1
 * @throws {Error} one line, where the file cannot be read or the server does not take the batch
 */
export async function bulk(
  options: BulkOptions,
  onRefused: (line: number, code: string, detail: string) => void,
): Promise<BulkReport> {
  let counted = 0;
  const refused = new Map<string, number>();
  for await (const { firstLine, lines } of readBatches(options.file)) {
    for (const outcome of await sendBatch(options, lines)) {
      if (outcome.outcome === 'counted') {
        counted += 1;
        continue;
      }
      const code = outcome.code ?? 'internal';
      refused.set(code, (refused.get(code) ?? 0) + 1);
      onRefused(firstLine + outcome.line - 1, code, outcome.detail ?? '');
    }
  }
  return { counted, refused };
}

/** Blank lines stay in a batch as they are nothing to the server; they are kept out so that line numbers fit. */
async function* readBatches(file: string): AsyncGenerator<{ firstLine: number; lines: string[] }> {
  let lines: string[] = [];
  let firstLine = 1;
  let lineNo = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    lineNo += 1;
    const blank = line.trim() === '';
    if (!blank) lines.push(line);
    if (lines.length < batchBallotsMax && !blank) continue;
    if (lines.length > 0) yield { firstLine, lines };
    lines = [];
    firstLine = lineNo + 1;
  }
  if (lines.length > 0) yield { firstLine, lines };
}

async function sendBatch({ poll, url }: BulkOptions, lines: readonly string[]): Promise<OutcomeLine[]> {
  const response = await fetch(`${url}/api/v1/polls/${encodeURIComponent(poll)}/ballots:batch`, {
    method: 'POST',
    headers: { 'content-type': ndjsonMediaType },
    body: lines.join('\n'),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The server answered ${response.status}: ${toDetail(text)}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as OutcomeLine); // Our own server's lines.
}

function toDetail(text: string): string {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null && 'detail' in problem) return String(problem.detail);
  } catch {
    // Not our server, or a proxy in front of it: its own words are the best there are.
  }
  return text.slice(0, 200);
}
