/** The settings that say where the ledger is kept. */
import { choice, host, optional, password, path, port, postgresUrl, shortText } from '../lib/setting-kinds.ts';
import { group } from '../lib/setting-table.ts';

export const databaseSettings = group('Where ballots are kept', {
  dataFolder: {
    flag: 'data',
    env: 'HUSTINGS_DATA',
    kind: path,
    default: './data',
    doc: 'The folder of the embedded database. It is created where it is missing.',
  },
  databaseUrl: {
    flag: 'database-url',
    env: 'DATABASE_URL',
    kind: optional(postgresUrl),
    default: undefined,
    otherwise: 'the embedded database',
    example: 'postgres://hustings@localhost:5432/hustings',
    doc: 'The PostgreSQL database to use in place of the embedded one, version 15 or newer. It wins over `POSTGRES_HOST`.',
  },
  postgresHost: {
    env: 'POSTGRES_HOST',
    kind: optional(host),
    default: undefined,
    otherwise: 'the embedded database',
    example: 'localhost',
    doc: 'The host of the PostgreSQL database, another way to name it. The other `POSTGRES_` variables are read only where this one is set and `DATABASE_URL` is not.',
  },
  postgresPort: {
    env: 'POSTGRES_PORT',
    kind: port,
    default: 5432,
    doc: 'The port of the database at `POSTGRES_HOST`.',
  },
  postgresUser: {
    env: 'POSTGRES_USER',
    kind: shortText,
    default: 'postgres',
    doc: 'The user to connect as.',
  },
  postgresPassword: {
    env: 'POSTGRES_PASSWORD',
    kind: optional(password),
    default: undefined,
    otherwise: 'no password',
    doc: 'The password of that user.',
  },
  postgresDb: {
    env: 'POSTGRES_DB',
    kind: optional(shortText),
    default: undefined,
    otherwise: 'the name of the user',
    example: 'hustings',
    doc: 'The name of the database.',
  },
  durability: {
    flag: 'durability',
    env: 'DURABILITY',
    kind: choice(['strict', 'process']),
    default: 'strict',
    doc: 'What a receipt survives. With `strict` it survives a power cut, and the server refuses a database that cannot promise that; with `process` it survives a killed process only.',
  },
});
