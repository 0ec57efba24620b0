/** The thread in which pictures are made: drawing and packing one takes as long as counting thousands of votes. */
import { parentPort } from 'node:worker_threads';
import { Resvg, type ResvgRenderOptions } from '@resvg/resvg-js';

export type PngOrder = { readonly id: number; readonly svg: string; readonly options: ResvgRenderOptions };
export type PngAnswer = { readonly id: number } & ({ readonly png: Uint8Array } | { readonly failed: string });

parentPort?.on('message', ({ id, svg, options }: PngOrder) => {
  parentPort?.postMessage(makePng(id, svg, options));
});

function makePng(id: number, svg: string, options: ResvgRenderOptions): PngAnswer {
  try {
    return { id, png: new Resvg(svg, options).render().asPng() };
  } catch (error) {
    return { id, failed: String(error) };
  }
}
