import { toConfig, type Config, type ConfigSources } from './config.ts';
import { closestWord } from './lib/closest-word.ts';
import { toEntry, toPlainText, toSettingEntry, toSettingsHelp, wrapText } from './lib/help-layout.ts';
import { boolean, choice, duration, httpOrigin, optional, path, shortText } from './lib/setting-kinds.ts';
import {
  group,
  parseArguments,
  parseSettings,
  SettingError,
  toQuoted,
  type AnySettings,
  type GivenValues,
  type ValuesOf,
} from './lib/setting-table.ts';
import { settings } from './settings.ts';

type SettingName = keyof typeof settings;

interface Command {
  readonly doc: string;
  /** What the command takes besides settings: words in their order, and flags of its own. */
  readonly options: AnySettings;
  /** The settings that change what it does. Every command accepts all of them. */
  readonly reads: readonly SettingName[];
}

const databaseSettings = [
  'dataFolder',
  'databaseUrl',
  'postgresHost',
  'postgresPort',
  'postgresUser',
  'postgresPassword',
  'postgresDb',
] as const satisfies SettingName[];

const logSettingNames = [
  'queue',
  'redisUrl',
  'redisHost',
  'redisStream',
  'rabbitmqUrl',
  'rabbitmqQueueName',
  'kafkaBrokers',
  'kafkaTopic',
  'kafkaClientId',
  'kafkaGroupId',
  'kafkaSsl',
  'kafkaSslCaFile',
  'kafkaSslCertFile',
  'kafkaSslKeyFile',
  'kafkaSaslMechanism',
  'kafkaSaslUsername',
  'kafkaSaslPassword',
] as const satisfies SettingName[];

/** Which running server a command talks to. */
const serverUrl = {
  flag: 'url',
  kind: optional(httpOrigin),
  default: undefined,
  otherwise: 'the public URL, as the settings give it',
  doc: 'The server to send them to.',
};

/** Every command of the program, in the order of the help. */
export const commands = {
  serve: {
    doc: 'Starts the server. This is what happens without a command.',
    options: {},
    reads: Object.keys(settings) as SettingName[], // The keys of the table itself.
  },
  worker: {
    doc: 'Records what comes out of the broker that the servers fill (`--queue`). Any number of workers share the work.',
    options: {},
    reads: [
      ...databaseSettings,
      ...logSettingNames,
      'durability',
      'batchBallotsMax',
      'recorderLanes',
      'bus',
      'metricsPort',
      'metricsHost',
      'logLevel',
    ],
  },
  queue: {
    doc: 'Says what waits in the broker, lists what could not be recorded, or appends that to the queue again.',
    options: group('What it takes', {
      action: {
        argument: 'dead|replay',
        kind: optional(choice(['dead', 'replay'])),
        default: undefined,
        otherwise: 'the length of the queue',
        doc: 'What to do with the dead letters: list them, or replay them.',
      },
    }),
    reads: logSettingNames,
  },
  ring: {
    doc: 'Says which Redis node holds a poll, or which nodes there are and how they are. Of `REDIS_NODES` or `REDIS_CLUSTER`, or else of the servers on the same database. In a cluster also the slot and the key.',
    options: group('What it takes', {
      pollName: {
        argument: 'POLL',
        kind: optional({ ...shortText, takes: 'the id of a poll, as votes or the API name it' }),
        default: undefined,
        otherwise: 'all nodes, with their shares',
        doc: 'The poll whose node to print.',
      },
      adopt: {
        flag: 'adopt',
        kind: boolean,
        default: false,
        doc: 'Makes `REDIS_NODES` or `REDIS_CLUSTER` the nodes of all servers on the database, which take them over within a second or two.',
      },
    }),
    reads: [...databaseSettings, 'redisNodes', 'redisCluster', 'virtualNodes', 'ringLabel', 'logLevel'],
  },
  migrate: {
    doc: 'Brings the tables of the database up to date and ends. `serve` does so when it starts.',
    options: {},
    reads: [...databaseSettings, 'migrationLockTimeoutMs', 'logLevel'],
  },
  bulk: {
    doc: 'Sends the ballots of a file to a running server, and says what became of them.',
    options: group('What it takes', {
      file: {
        argument: 'FILE.ndjson',
        kind: { ...path, takes: 'the path of a file' },
        doc: 'The ballots, one JSON object in each line.',
      },
      poll: {
        flag: 'poll',
        kind: { ...shortText, placeholder: 'REF', takes: 'the id or the slug of a poll' },
        doc: 'The poll that the ballots are for.',
      },
      url: serverUrl,
    }),
    reads: ['host', 'port', 'publicUrl'],
  },
  seed: {
    doc: 'Casts 3,000 votes in a running server, for a demonstration: 2,000 for the first option and 1,000 for the second.',
    options: group('What it takes', {
      contract: {
        argument: 'duel',
        kind: choice(['duel']),
        doc: 'What to vote in. The server runs with the preset of that name.',
      },
      url: serverUrl,
    }),
    reads: ['host', 'port', 'publicUrl'],
  },
  token: {
    doc: 'Prints a token that names a user and is signed with `JWT_SECRET_KEY`, for trying out polls whose voters have tokens.',
    options: group('What it takes', {
      user: {
        flag: 'user',
        kind: { ...shortText, placeholder: 'USER', takes: 'the name of a user, 1 to 255 characters' },
        doc: 'Whom the token names.',
      },
      expiresSeconds: {
        flag: 'expires',
        kind: duration({ daysMax: 3_650 }),
        default: 3_600,
        otherwise: '1h',
        doc: 'For how long it is valid.',
      },
    }),
    reads: ['jwtSecretKey', 'jwtAlgorithm', 'jwtIssuer', 'jwtAudience', 'durability'],
  },
  verify: {
    doc: 'Counts the ledger afresh and compares the count with every tally. Changes nothing.',
    options: {},
    reads: [...databaseSettings, 'statementTimeoutMs', 'logLevel'],
  },
  backup: {
    doc: 'Writes the whole ledger into one file, as of one moment, while servers run. It holds the secrets of the installation.',
    options: group('What it takes', {
      backupFile: {
        argument: 'FILE',
        kind: { ...path, takes: 'the path of a file' },
        doc: 'The file. One that is there already is replaced once the new one is whole.',
      },
    }),
    reads: [...databaseSettings, 'logLevel'],
  },
  restore: {
    doc: 'Makes a ledger of the file of a backup, in an empty data folder or database, and counts it afresh.',
    options: group('What it takes', {
      restoredFile: {
        argument: 'FILE',
        kind: { ...path, takes: 'the path of a file' },
        doc: 'The file that `hustings backup` has written.',
      },
    }),
    reads: [...databaseSettings, 'durability', 'migrationLockTimeoutMs', 'logLevel'],
  },
  doctor: {
    doc: 'Checks what the settings name, and says in a line each what is well and what to change: database, broker, Redis, clocks, limits, disk, tokens, ports. Ends with 1 where something fails.',
    options: {},
    reads: Object.keys(settings) as SettingName[], // The keys of the table itself.
  },
  help: {
    doc: 'Explains everything, or one command.',
    options: group('What it takes', {
      topic: {
        argument: 'COMMAND',
        kind: optional({ ...shortText, takes: 'the name of a command' }),
        default: undefined,
        otherwise: 'all of them',
        doc: 'The command to explain.',
      },
    }),
    reads: [],
  },
  version: {
    doc: 'Prints the version.',
    options: {},
    reads: [],
  },
} as const satisfies Record<string, Command>;

const everywhere = group('Everywhere', {
  help: {
    flag: 'help',
    short: 'h',
    kind: boolean,
    default: false,
    doc: 'Explains the command in place of running it.',
  },
  version: {
    flag: 'version',
    kind: boolean,
    default: false,
    doc: 'Prints the version.',
  },
});

type CommandName = keyof typeof commands;
type RunnableName = Exclude<CommandName, 'help' | 'version'>;

/** What the command line asks for. `help` and `version` come out even where a setting is wrong. */
export type Invocation =
  | { command: 'help'; text: string }
  | { command: 'version' }
  | {
      [Name in RunnableName]: {
        command: Name;
        options: ValuesOf<(typeof commands)[Name]['options']>;
        config: Config;
      };
    }[RunnableName];

/**
 * The command with its options and the configuration. Flags may stand before the command or behind it.
 *
 * @throws {SettingError} for the first mistake, as one line for whoever typed it.
 */
export function parseCommandLine({ argv, env, envFile }: ConfigSources): Invocation {
  const { positionals, given } = parseArguments(argv, everyFlag());
  const { help, version } = parseSettings(everywhere, given);
  const [word, ...words] = positionals;
  if (version || word === 'version') return { command: 'version' };
  if (help || word === 'help') {
    const topic = word === 'help' ? words[0] : word;
    return { command: 'help', text: topic === undefined ? toHelp() : toCommandHelp(topic) };
  }

  const command = toCommandName(word ?? 'serve');
  const options = parseOptions(command, given, words);
  // The server that is seeded runs with a preset, and that gives it its port.
  const flags = command === 'seed' ? { preset: { text: 'duel', under: 'seed duel' }, ...given } : given;
  const config = toConfig({ flags, env, envFile });
  return { command, options, config } as Invocation; // The rows of this command made these options.
}

function everyFlag(): AnySettings {
  const options = Object.values(commands).map((command) => command.options);
  return Object.assign({}, ...options, everywhere, settings);
}

function toCommandName(word: string): CommandName {
  const names = Object.keys(commands) as CommandName[]; // The keys of the table itself.
  const name = names.find((candidate) => candidate === word);
  if (name !== undefined) return name;
  const meant = closestWord(word, names);
  const hint = meant === undefined ? `There are ${names.join(', ')}.` : `Did you mean "${meant}"?`;
  throw new SettingError(`There is no command ${toQuoted(word)}. ${hint}`);
}

function parseOptions(name: CommandName, given: GivenValues, words: readonly string[]): unknown {
  const options: AnySettings = commands[name].options;
  for (const [owner, { options: others }] of Object.entries(commands)) {
    const stray = Object.keys(others).find((key) => given[key] && !(key in options));
    if (stray === undefined) continue;
    throw new SettingError(`${given[stray]?.under} belongs to "hustings ${owner}", not to "hustings ${name}".`);
  }
  const places = Object.entries(options).filter(([, option]) => option.argument !== undefined);
  const extra = words[places.length];
  if (extra !== undefined) {
    throw new SettingError(`${toQuoted(extra)} is too much: the usage is "${toUsage(name)}".`);
  }
  const placed = places.map(([key, { argument }], index) => {
    const text = words[index];
    return [key, text === undefined ? undefined : { text, under: argument }];
  });
  return parseSettings(options, { ...given, ...Object.fromEntries(placed) });
}

function toHelp(): string {
  return [
    'Hustings is a voting server: every ballot that it acknowledges is counted exactly once.',
    'Usage: hustings [COMMAND] [FLAGS]',
    ['Commands', ...Object.entries(commands).map(([name, row]) => toCommandEntry(name, row))],
    toSettingsHelp(everywhere),
    toParagraph(
      'Settings. A flag wins over the variable of the environment, and that over a line in the file ' +
        '.env of the working directory. Empty counts as unset.',
    ),
    toSettingsHelp(settings),
  ]
    .map((part) => (typeof part === 'string' ? part : part.join('\n')))
    .join('\n\n');
}

function toCommandHelp(word: string): string {
  const name = toCommandName(word);
  const { doc, options, reads }: Command = commands[name];
  const read = Object.fromEntries(reads.map((key) => [key, settings[key]]));
  return [toParagraph(toPlainText(doc)), `Usage: ${toUsage(name)}`, toSettingsHelp(options), toSettingsHelp(read)]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** A command with what it alone takes, indented below it. */
function toCommandEntry(name: string, { doc, options }: Command): string {
  const rows = Object.values(options).map((option) => toSettingEntry(option, 4));
  return [toEntry(name, [toPlainText(doc)]), ...rows].join('\n');
}

/** As in `hustings bulk FILE.ndjson --poll REF [--url URL] [FLAGS]`. */
function toUsage(name: CommandName): string {
  const { options, reads }: Command = commands[name];
  const parts = Object.values(options).map((option) => {
    const part = option.argument ?? `--${option.flag} ${option.kind.placeholder}`;
    return 'default' in option ? `[${part}]` : part;
  });
  return ['hustings', name, ...parts, ...(reads.length > 0 ? ['[FLAGS]'] : [])].join(' ');
}

function toParagraph(text: string): string {
  return wrapText(text).join('\n');
}
