/** What the doctor asks the ledger's database. Its schema is left as it is. */
import type { Config } from '../../config.ts';
import { readMigrations } from '../../ledger/backup/ledger-tables.ts';
import { createLedgerClock } from '../../ledger/clock.ts';
import { joinEmbeddedPostgres, lookAtEmbeddedPostgres } from '../../ledger/embedded/join.ts';
import { listMigrations } from '../../ledger/migrate.ts';
import { createPool, type Connection, type Pool } from '../../ledger/postgres.ts';
import type { Logger } from '../../lib/logger.ts';
import { toConnectionNeeds } from '../../open-ledger.ts';
import { fail, ok, toMedian, toReason, toShownMs, warn, type Finding } from './finding.ts';

export type DatabaseParts = { readonly log: Logger };

type ServerFacts = {
  readonly version: string;
  readonly versionNo: number;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly fullPageWrites: string;
  readonly connectionsMax: number;
  readonly connectionsReserved: number;
  /** Connections of other programs. */
  readonly connectionsOfOthers: number;
  readonly sharedBuffers: number;
  readonly walSizeMax: number;
};

const versionMin = 150_000;
const mebibyte = 1_048_576;
const sharedBuffersMin = 128 * mebibyte;
const walSizeMin = 4_096 * mebibyte;
const samples = 20;
const statementMsMax = 10;
const commitMsMax = 20;
/** Times that voters see come from the database; tokens and logs go by this machine. */
const clockOffsetMsMax = 1_000;

export async function checkDatabase(config: Config, parts: DatabaseParts): Promise<Finding[]> {
  const { database, dataFolder } = config;
  if (database.kind === 'postgres') {
    const connection = { connectionString: database.url.reveal() };
    return askDatabase(config, { ...parts, connection, shown: String(database.url) });
  }
  const { clusterFolder, runs } = await lookAtEmbeddedPostgres(dataFolder);
  if (clusterFolder === null) return [ok('database', `embedded; the first start makes it in ${dataFolder}.`)];
  if (!runs) {
    return [
      ok('database', `embedded, in ${dataFolder}; no server runs on it now, so the database itself was not asked.`),
    ];
  }
  const { connection, stop } = await joinEmbeddedPostgres(dataFolder);
  try {
    return await askDatabase(config, { ...parts, connection, shown: `embedded, in ${dataFolder}` });
  } finally {
    await stop();
  }
}

type AskParts = DatabaseParts & { readonly connection: Connection; readonly shown: string };

async function askDatabase(config: Config, { connection, shown, log }: AskParts): Promise<Finding[]> {
  const pool = createPool(connection, { connectionsMax: 1, statementTimeoutMs: config.statementTimeoutMs }, (error) =>
    log.debug({ err: error }, 'database connection lost'),
  );
  try {
    const facts = await readFacts(pool);
    return [
      toVersionFinding(facts, shown),
      ...toDurabilityFindings(facts, config),
      toConnectionsFinding(facts, config),
      ...(config.database.kind === 'embedded' ? [] : toSizeFindings(facts)),
      await checkSchema(pool),
      await measureLatency(pool),
      await measureClock(pool),
    ];
  } catch (error) {
    return [
      fail('database', `PostgreSQL (${shown}) does not answer: ${toReason(error)}. Start it, or correct DATABASE_URL.`),
    ];
  } finally {
    await pool.end();
  }
}

async function readFacts(pool: Pool): Promise<ServerFacts> {
  const { rows } = await pool.query<ServerFacts>(`
    select
      current_setting('server_version') as version,
      current_setting('server_version_num')::integer as "versionNo",
      current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as "synchronousCommit",
      current_setting('full_page_writes') as "fullPageWrites",
      current_setting('max_connections')::integer as "connectionsMax",
      current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true), '0')::integer as "connectionsReserved",
      (
        select count(*)
        from pg_stat_activity
        where backend_type = 'client backend' and application_name not like 'hustings%'
      ) as "connectionsOfOthers",
      pg_size_bytes(current_setting('shared_buffers')) as "sharedBuffers",
      pg_size_bytes(current_setting('max_wal_size')) as "walSizeMax"
  `);
  if (rows[0] === undefined) throw new Error('It did not tell its settings.');
  return rows[0];
}

function toVersionFinding({ version, versionNo }: ServerFacts, shown: string): Finding {
  if (versionNo >= versionMin) return ok('database', `PostgreSQL ${version} answers (${shown}).`);
  return fail('database', `PostgreSQL ${version} is too old (${shown}): install version 15 or newer.`);
}

function toDurabilityFindings(facts: ServerFacts, { durability }: Config): Finding[] {
  const settings: readonly [name: string, value: string][] = [
    ['fsync', facts.fsync],
    ['synchronous_commit', facts.synchronousCommit],
    ['full_page_writes', facts.fullPageWrites],
  ];
  const weak = settings.filter(([, value]) => value === 'off');
  if (weak.length === 0) {
    return [ok('durability', `${settings.map(([name, value]) => `${name} = ${value}`).join(', ')}.`)];
  }
  const tell = durability === 'strict' ? fail : warn;
  return weak.map(([name, value]) =>
    tell(
      'durability',
      `PostgreSQL has ${name} = ${value}, so a power cut may lose acknowledged ballots. Run "alter system set ${name} = on" there and "select pg_reload_conf()".`,
    ),
  );
}

function toConnectionsFinding(facts: ServerFacts, config: Config): Finding {
  const { pool, lanes, news, shared, each, all } = toConnectionNeeds(config);
  const { connectionsMax, connectionsReserved: reserved, connectionsOfOthers: others } = facts;
  const free = connectionsMax - reserved;
  const { processes } = config;
  const who = processes === 1 ? 'one process takes' : `${processes} processes take`;
  const parts = `${pool} pool + ${lanes} lanes + ${news} news${processes === 1 ? '' : ' each'}${shared === 0 ? '' : `, + ${shared} for all`}`;
  const sum = `${who} ${all} connections (${parts}), and max_connections = ${connectionsMax} leaves ${free}`;
  if (all > free) {
    const remedy =
      config.database.kind === 'embedded'
        ? 'Lower --pool-connections-max, or name a PostgreSQL of its own with DATABASE_URL'
        : `Run "alter system set max_connections = ${all + reserved + others}" there and restart it, or lower --pool-connections-max`;
    return fail('connections', `${sum}. ${remedy}.`);
  }
  if (all + others > free) {
    return warn('connections', `${sum}, of which other programs use ${others} now. Raise max_connections.`);
  }
  const more = Math.floor((free - others - shared) / each);
  return ok('connections', `${sum}; ${more} such processes fit in all.`);
}

function toSizeFindings({ sharedBuffers, walSizeMax }: ServerFacts): Finding[] {
  const toShown = (bytes: number) => `${Math.round(bytes / mebibyte)} MB`;
  const findings: Finding[] = [];
  if (sharedBuffers < sharedBuffersMin) {
    findings.push(
      warn(
        'memory',
        `shared_buffers = ${toShown(sharedBuffers)} is little: a quarter of the database's memory is usual ("alter system set shared_buffers", then a restart).`,
      ),
    );
  }
  if (walSizeMax < walSizeMin) {
    findings.push(
      warn(
        'checkpoints',
        `max_wal_size = ${toShown(walSizeMax)} makes checkpoints frequent while many vote, and ballots wait for them. Run "alter system set max_wal_size = '4GB'" and "select pg_reload_conf()", where the disk has the room.`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok('memory', `shared_buffers = ${toShown(sharedBuffers)}, max_wal_size = ${toShown(walSizeMax)}.`)];
}

async function checkSchema(pool: Pool): Promise<Finding> {
  const [run, known] = await Promise.all([readMigrations(pool), listMigrations()]);
  const missing = known.filter((name) => !run.includes(name));
  const unknown = run.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return fail('schema', `a newer Hustings has migrated this database (${unknown.join(', ')}): use that version.`);
  }
  if (run.length === 0)
    return ok('schema', 'there are no tables yet; "hustings migrate" or the first start makes them.');
  if (missing.length === 0) return ok('schema', `${run.length} migrations, up to date.`);
  return warn(
    'schema',
    `${missing.length} migrations are missing (${missing.join(', ')}): "hustings migrate" or the next start runs them.`,
  );
}

async function measureLatency(pool: Pool): Promise<Finding> {
  const statementMs = await measure(() => pool.query('select 1'));
  // A record in the log of the database that nothing reads: it is written and synced as a ballot is.
  const commit = () => pool.query(`select pg_logical_emit_message(true, 'hustings', 'doctor')`);
  const commitMs = await measure(commit).catch((error: unknown) => toReason(error));
  const statement = `a statement takes ${toShownMs(statementMs)}`;
  if (typeof commitMs === 'string')
    return warn('latency', `${statement}; a commit could not be measured: ${commitMs}.`);
  const both = `${statement}, a commit ${toShownMs(commitMs)} (the middle of ${samples})`;
  if (statementMs > statementMsMax) return warn('latency', `${both}. Run servers and workers close to the database.`);
  if (commitMs > commitMsMax)
    return warn('latency', `${both}. Every batch of ballots waits for a commit: give the database a faster disk.`);
  return ok('latency', `${both}.`);
}

async function measure(work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  await work();
  for (let count = 0; count < samples; count += 1) {
    const startedMs = performance.now();
    await work();
    taken.push(performance.now() - startedMs);
  }
  return toMedian(taken);
}

async function measureClock(pool: Pool): Promise<Finding> {
  const clock = createLedgerClock(pool);
  for (let count = 0; count < 5; count += 1) await clock.measure();
  const offsetMs = clock.offsetMs();
  const shown = `the database's clock and this machine's differ by ${toShownMs(Math.abs(offsetMs))}`;
  if (Math.abs(offsetMs) <= clockOffsetMsMax) return ok('clock', `${shown}.`);
  return warn(
    'clock',
    `${shown}. Polls go by the database's; tokens and logs do not. Run NTP (chrony, systemd-timesyncd) on both.`,
  );
}
