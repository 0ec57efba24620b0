/** From SVG to PNG, in a thread of its own, and only so many at a time. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PngAnswer, PngOrder } from './png-worker.ts';

export type PngMaker = {
  /** null: as many pictures are waiting as may, and this one must be asked for again. */
  make(svg: string, widthPx: number): Promise<Buffer | null>;
  stop(): Promise<void>;
};

const waitingMax = 8;
const fontFolder = path.join(
  path.dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')),
  'ttf',
);
/** Of the family only what the pictures use: each file is read for each picture. */
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => path.join(fontFolder, name));

type Waiting = { readonly resolve: (png: Buffer) => void; readonly reject: (error: Error) => void };

export function createPngMaker(): PngMaker {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;

  /** Started with the first picture: many servers never make one. It does not keep the process alive. */
  function start(): Worker {
    const started = new Worker(new URL('png-worker.ts', import.meta.url));
    started.unref();
    started.on('message', (answer: PngAnswer) => {
      const { resolve, reject } = waiting.get(answer.id) ?? {};
      waiting.delete(answer.id);
      if ('png' in answer) resolve?.(Buffer.from(answer.png));
      else reject?.(new Error(answer.failed));
    });
    started.on('error', fail).on('exit', () => fail(new Error('The thread that makes pictures ended.')));
    return started;
  }

  /** Those who wait hear of it; the next picture starts another thread. */
  function fail(error: Error): void {
    worker = null;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  return {
    make(svg, widthPx) {
      if (waiting.size >= waitingMax) return Promise.resolve(null);
      worker ??= start();
      lastId += 1;
      const order: PngOrder = {
        id: lastId,
        svg,
        options: {
          fitTo: { mode: 'width', value: widthPx },
          // The fonts of the system have the scripts that DejaVu lacks.
          font: { fontFiles, loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' },
        },
      };
      return new Promise((resolve, reject) => {
        waiting.set(order.id, { resolve, reject });
        worker?.postMessage(order);
      });
    },
    async stop() {
      await worker?.terminate();
    },
  };
}
