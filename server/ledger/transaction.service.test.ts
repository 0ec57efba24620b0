import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgresProxy } from '../../test/support/postgres-proxy.ts';
import { createDatabase } from '../../test/support/server.ts';
import { createPool, inTransaction, type Pool } from './postgres.ts';

const modulePath = new URL('postgres.ts', import.meta.url).href;

/** A process with one transaction, which stands where `where` says, and whose connection breaks then. */
function toProgram(url: string, where: 'in a query' | 'between two queries'): string {
  return `
    import { createPool, inTransaction } from ${JSON.stringify(modulePath)};
    const pool = createPool({ connectionString: ${JSON.stringify(url)} }, { connectionsMax: 2, statementTimeoutMs: 60_000 }, () => {});
    try {
      await inTransaction(pool, async (client) => {
        await client.query('select 1');
        console.log('begun');
        if (${JSON.stringify(where)} === 'between two queries') await new Promise((resolve) => client.once('end', resolve));
        await client.query('select pg_sleep(60)');
      });
    } catch (error) {
      console.log('rejected');
    }
    await pool.end();`;
}

/** An error that nobody listens to ends the process, and a connection tells of its end where nobody asks. */
test.for(['in a query', 'between two queries'] as const)(
  'a transaction whose connection breaks %s fails, and the process lives on',
  async (where) => {
    const proxy = await startPostgresProxy(await createDatabase());
    const args = ['--input-type=module', '--eval', toProgram(proxy.url, where)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (text.includes('begun')) proxy.cut();
    });
    await once(child, 'close');
    expect([said, child.exitCode]).toEqual(['begun\nrejected\n', 0]);
  },
);

test('a server that vanishes between two statements of a transaction does not keep its locks', async () => {
  const url = await createDatabase();
  const proxy = await startPostgresProxy(url);
  const takeLock = 'select pg_advisory_xact_lock(1)';
  const vanished = inTransaction(openPool(proxy.url), async (client) => {
    await client.query(takeLock);
    proxy.cut();
    await client.query(takeLock);
  });
  await expect(vanished).rejects.toThrow(Error);
  await inTransaction(openPool(url), (client) => client.query(takeLock));
});

function openPool(connectionString: string): Pool {
  const pool = createPool({ connectionString }, { connectionsMax: 1, statementTimeoutMs: 60_000 }, () => undefined);
  onTestFinished(() => pool.end());
  return pool;
}
