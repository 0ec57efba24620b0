import { expect, onTestFinished, test } from 'vitest';
import { createPngMaker } from './png.ts';

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="#123456"/></svg>';
const widthOf = (png: Buffer | null): number | undefined => png?.readUInt32BE(16);

function createSample() {
  const maker = createPngMaker();
  onTestFinished(maker.stop);
  return maker;
}

test('a picture has the width that was asked for', async () => {
  const maker = createSample();
  expect((await Promise.all([maker.make(svg, 40), maker.make(svg, 300)])).map(widthOf)).toEqual([40, 300]);
});

test('only so many pictures wait at a time, and afterwards there is room again', async () => {
  const maker = createSample();
  const pictures = await Promise.all(Array.from({ length: 20 }, () => maker.make(svg, 40)));
  expect(pictures.map((png) => png !== null)).toEqual(Array.from({ length: 20 }, (_, index) => index < 8));
  expect(widthOf(await maker.make(svg, 50))).toBe(50);
});

test('a picture that cannot be made fails alone', async () => {
  const maker = createSample();
  const broken = maker.make('<svg', 40);
  const sound = maker.make(svg, 40);
  await expect(broken).rejects.toThrow(/SVG|xml/iu);
  expect(widthOf(await sound)).toBe(40);
});

test('who waits when the thread ends hears of it', async () => {
  const maker = createSample();
  const waiting = maker.make(svg, 2_048);
  const [, outcome] = await Promise.all([maker.stop(), waiting.catch((error: unknown) => error)]);
  expect(outcome).toSatisfy((value: unknown) => value instanceof Error || Buffer.isBuffer(value));
});
