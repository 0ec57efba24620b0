/**
 * `npm run bench`: answers questions about speed with ratios. `npm run bench -- votes reads` asks only these.
 * Options: --pairs=7 --seconds=3 --connections=64, --broker=redis (again for another; all without it), and --quick for a look that
 * proves nothing.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readMachine, readSteal, readStealCounter } from './machine.ts';
import { fanout } from './fanout.ts';
import type { BrokerName } from './bare-client-process.ts';
import { leaders } from './leaders.ts';
import { logs } from './logs.ts';
import type { Figure } from './pairs.ts';
import type { BenchOptions, Question } from './question.ts';
import { reads } from './reads.ts';
import { recorder } from './recorder.ts';
import { ring } from './ring.ts';
import { start } from './start.ts';
import { votes } from './votes.ts';

const brokerNames = ['redis', 'rabbitmq', 'kafka'] as const satisfies BrokerName[];
const questions: Readonly<Record<string, Question>> = { votes, reads, recorder, logs, fanout, ring, leaders, start };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    broker: { type: 'string', multiple: true, default: [...brokerNames] },
    quick: { type: 'boolean', default: false },
  },
});
const asked = positionals.length === 0 ? Object.keys(questions) : positionals;
const options: BenchOptions = {
  pairs: values.quick ? 2 : Number(values.pairs),
  seconds: values.quick ? 1 : Number(values.seconds),
  connections: Number(values.connections),
  brokers: brokerNames.filter((name) => values.broker.includes(name)),
};

const machine = readMachine();
console.log(
  `${machine.cores} cores (${machine.cpu}), Node ${machine.node}, fdatasync ${machine.fdatasyncMeanMs.toFixed(2)} ms`,
);
console.log(
  `${options.pairs} pairs of ${options.seconds} s, ${options.connections} connections, fsync and synchronous_commit on\n`,
);
const since = readStealCounter();
const figures: Figure[] = [];
for (const name of asked) {
  const question = questions[name];
  if (question === undefined)
    throw new Error(`There is no question ${name}; there are ${Object.keys(questions).join(', ')}.`);
  for (const figure of await question(options)) {
    figures.push(figure);
    console.log(toLine(figure));
  }
}
const steal = readSteal(since);
console.log(`\nCPU steal ${(steal * 100).toFixed(1)} %${steal > 0.02 ? ': over 2 %, run it again' : ''}`);
await save();

function toLine(figure: Figure): string {
  const { question, what, a, b, ratio, ratioMin, ratioMax, target, note, smallIsGood } = figure;
  const met = target === null || (smallIsGood === true ? ratio <= target : ratio >= target);
  const goal = target === null ? '' : `, target ${target}: ${met ? 'met' : 'MISSED'}`;
  const spread = `${ratioMin.toFixed(2)} to ${ratioMax.toFixed(2)}`;
  const lines = [
    `${question.padEnd(6)} ${what}`,
    `       ${toCount(a)} ÷ ${toCount(b)} = ${ratio.toFixed(2)} (${spread})${goal}`,
  ];
  return [...lines, ...(note === '' ? [] : [`       ${note}`])].join('\n');
}

function toCount(value: number): string {
  return Math.round(value).toLocaleString('en');
}

async function save(): Promise<void> {
  const folder = path.resolve(import.meta.dirname, 'results');
  await mkdir(folder, { recursive: true });
  const date = new Date().toISOString();
  const file = path.join(folder, `${date.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify({ date, machine, options, steal, figures }, null, 2)}\n`);
  console.log(`written to ${path.relative(process.cwd(), file)}`);
}
