/** Tally reads beside a bare server that says hello in as many bytes (V8). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Question } from './question.ts';
import { measurePairs } from './pairs.ts';
import { runLoad, startProgram, startServer } from './programs.ts';
import { createPoll } from './votes.ts';

export const reads: Question = async ({ pairs, connections, seconds }) => {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  const server = await startServer(dataFolder);
  const tallyPath = `/api/v1/polls/${await createPoll(server.port)}/tally`;
  const bytes = (await (await fetch(`http://127.0.0.1:${server.port}${tallyPath}`)).text()).length;
  const hello = await startProgram('bench/echo-process.ts', [String(bytes)], /listening on (\d+)/u);
  const read = (port: number, to: string) =>
    runLoad({ port, path: to, connections, seconds, kind: 'get', keepReceipts: false });
  try {
    await read(server.port, tallyPath);
    return [
      await measurePairs({
        question: 'V8',
        what: 'tally reads/s ÷ bare node:http hello',
        target: 0.9,
        pairs,
        a: () => read(server.port, tallyPath),
        b: () => read(hello.port, '/'),
      }),
    ];
  } finally {
    await Promise.all([server.stop(), hello.stop()]);
    await rm(dataFolder, { recursive: true, force: true });
  }
};
