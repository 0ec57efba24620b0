/** Several processes that answer on one port, as programs. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { cleanUp, makeFolder, until } from '../../server/ledger/embedded/test-support.ts';
import { kill, launch, mainFile, readBackendPids, serverReadyText, type Program } from '../crash/program.ts';
import { createPoll } from '../support/http.ts';

afterEach(cleanUp);

const started = new Set<Program>();

afterEach(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGTERM');
    await ended;
  }
  started.clear();
});

async function start(folder: string, port: number, ...flags: string[]): Promise<Program> {
  const command = [mainFile, 'serve', '--data', folder, '--port', String(port), '--log-level', 'silent', ...flags];
  const { DATABASE_URL: _database, POSTGRES_HOST: _host, ...env } = process.env;
  const program = await launch({ command, env, readyText: serverReadyText });
  started.add(program);
  return program;
}

/** The processes that answer: those of the server's children that run this program. */
async function readMemberPids({ child }: Program): Promise<number[]> {
  const pids = await readBackendPids(child.pid ?? 0);
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_pid, index) => commands[index]?.includes(mainFile));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** On a connection of its own, so that any of the processes may get it. Rejects where the connection ends without an answer. */
function ask(port: number, path: string, body?: object, key?: string): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const method = body === undefined ? 'GET' : 'POST';
    const request = http.request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('error', reject)
        .on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
    });
    request.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Until it is acknowledged: as a repeat, where only the answer to the first was lost. */
async function castUntilCounted(port: number, userId: string): Promise<string> {
  for (;;) {
    try {
      const answer = await ask(port, '/api/v1/polls/drinks/ballots', { selections: ['1'], userId }, `"${userId}"`);
      expect(answer.status).toBeLessThan(300);
      return (answer.json as { ballotId: string }).ballotId; // As the API documents it.
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

async function readTotal(port: number): Promise<number> {
  const { json } = await ask(port, '/api/v1/polls/drinks/tally');
  return (json as { total: number }).total; // As the API documents it.
}

test('three processes on one port count together; one that is killed comes back, and nothing is lost or doubled', async () => {
  const [folder, port] = [await makeFolder(), await findFreePort()];
  const program = await start(folder, port, '--processes', '3');
  await createPoll(`http://127.0.0.1:${port}`, { slug: 'drinks' });
  const members = await readMemberPids(program);
  expect(members).toHaveLength(3);
  let next = 0;
  const ballots = new Set<string>();
  const clients = Array.from({ length: 20 }, async () => {
    while (next < 600) {
      next += 1;
      ballots.add(await castUntilCounted(port, `voter ${next}`));
      if (ballots.size === 200) kill(members[1] ?? 0);
    }
  });
  await Promise.all(clients);
  expect(ballots.size).toBe(600);
  await until(async () => (await readMemberPids(program)).length === 3);
  await until(async () => {
    const totals = await Promise.all(Array.from({ length: 30 }, () => readTotal(port)));
    return totals.every((total) => total === 600);
  });
  const last = await readMemberPids(program);
  program.child.kill('SIGTERM');
  expect(await program.ended).toEqual([0, null]);
  expect(last.filter(isAlive)).toEqual([]);
});

test('when the one that started them is killed, the processes end, and the next start has every ballot', async () => {
  const [folder, port] = [await makeFolder(), await findFreePort()];
  const program = await start(folder, port, '--processes', '2');
  await createPoll(`http://127.0.0.1:${port}`, { slug: 'drinks' });
  await castUntilCounted(port, 'alice');
  const members = await readMemberPids(program);
  program.child.kill('SIGKILL');
  await until(() => Promise.resolve(!members.some(isAlive)));
  await start(folder, port, '--processes', '2');
  expect(await readTotal(port)).toBe(1);
});

test('a port that another has, even with the same right to share it, is refused in one line', async () => {
  const port = await findFreePort();
  await start(await makeFolder(), port, '--processes', '2');
  await expect(start(await makeFolder(), port, '--processes', '2')).rejects.toThrow(
    /^[^\n]* ended before it was ready: hustings: listen EADDRINUSE: [^\n]*\n$/u,
  );
});

test('a process that cannot start stops all of them with its reason', async () => {
  // Below the ports of outgoing connections, where nobody else comes by the neighbour.
  const port = await findFreePort();
  const taken = createServer().listen(port + 1, '127.0.0.1');
  await once(taken, 'listening');
  const flags = ['--processes', '2', '--metrics-port', String(port)];
  await expect(start(await makeFolder(), await findFreePort(), ...flags)).rejects.toThrow(
    new RegExp(`hustings: listen EADDRINUSE: address already in use 127.0.0.1:${port + 1}\n$`, 'u'),
  );
  taken.close();
});
