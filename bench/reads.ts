/** Tally reads (V8), and the page and script of a voter, beside a bare server that says hello in as many bytes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LoadResult } from './load-process.ts';
import type { BenchOptions, Question } from './question.ts';
import { measurePairs, type Figure } from './pairs.ts';
import { runLoad, startProgram, startServer } from './programs.ts';
import { createPoll } from './votes.ts';

export const reads: Question = async (options) => {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  const server = await startServer(dataFolder);
  try {
    const poll = await createPoll(server.port);
    const page = await (await fetch(`http://127.0.0.1:${server.port}/p/${poll}`)).text();
    const [script = ''] = /\/assets\/vote-[\w-]+\.js/u.exec(page) ?? [];
    const figures: Figure[] = [];
    for (const plan of [
      { question: 'V8', what: 'tally reads/s ÷ bare node:http hello', to: `/api/v1/polls/${poll}/tally`, target: 0.9 },
      { question: 'page', what: 'vote pages/s, packed, ÷ bare node:http hello', to: `/p/${poll}`, target: null },
      { question: 'script', what: 'scripts of that page/s ÷ bare node:http hello', to: script, target: null },
    ]) {
      figures.push(await measureReads(server.port, plan, options));
    }
    return figures;
  } finally {
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
};

type ReadPlan = Pick<Figure, 'question' | 'what' | 'target'> & { readonly to: string };

async function measureReads(
  port: number,
  { to, ...plan }: ReadPlan,
  { pairs, connections, seconds }: BenchOptions,
): Promise<Figure> {
  const bytes = await countBytes(port, to);
  const hello = await startProgram('bench/echo-process.ts', [String(bytes)], /listening on (\d+)/u);
  const read = (from: number, what: string): Promise<LoadResult> =>
    runLoad({ port: from, path: what, connections, seconds, kind: 'get', keepReceipts: false });
  try {
    await read(port, to);
    return await measurePairs({ ...plan, pairs, a: () => read(port, to), b: () => read(hello.port, '/') });
  } finally {
    await hello.stop();
  }
}

/** As they travel. */
function countBytes(port: number, to: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ port, path: to, headers: { 'accept-encoding': 'gzip, br' } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}
