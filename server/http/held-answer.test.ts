import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createHeldAnswers, type HeldAnswer } from './held-answer.ts';

async function hasBegun({ begun }: HeldAnswer): Promise<boolean> {
  return Promise.race([begun.then(() => true), turn(false)]);
}

async function readAll({ stream }: HeldAnswer): Promise<string> {
  const chunks = await stream.toArray();
  return Buffer.concat(chunks as Buffer[]).toString(); // It was given texts.
}

test('what is written is held back until the answer begins or ends', async () => {
  const answers = createHeldAnswers(100);
  const [one, two] = [answers.open(), answers.open()];
  for (const answer of [one, two]) {
    answer.write('first ');
    expect(await hasBegun(answer)).toBe(false);
  }
  one.begin();
  two.end();
  expect(await Promise.all([one, two].map(hasBegun))).toEqual([true, true]);
  one.write('second');
  one.end();
  expect(await Promise.all([one, two].map(readAll))).toEqual(['first second', 'first ']);
});

test('beyond what all may hold together, the one that comes over it begins early', async () => {
  const answers = createHeldAnswers(100);
  const [one, two, three] = [answers.open(), answers.open(), answers.open()];
  one.write('x'.repeat(60));
  two.write('x'.repeat(60));
  expect(await Promise.all([one, two].map(hasBegun))).toEqual([false, true]);
  three.write('x'.repeat(40));
  expect(await hasBegun(three)).toBe(false);
  one.end();
  three.write('x'.repeat(60));
  expect(await hasBegun(three)).toBe(false);
});

test('whoever does not read an answer that has begun is not given more', async () => {
  const answer = createHeldAnswers(10).open();
  answer.write('x'.repeat(100_000));
  const room = answer.room().then(() => true);
  expect(await Promise.race([room, turn(false)])).toBe(false);
  answer.stream.resume();
  expect(await room).toBe(true);
});
