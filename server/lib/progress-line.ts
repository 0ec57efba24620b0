/** How far a long piece of work is: a bar that grows on a terminal, and a line for each tenth where there is none. */

export type ProgressOutput = { readonly isTTY?: boolean; write(text: string): unknown };

export type ProgressLine = {
  show(done: number): void;
  /** Leaves the bar as it is, and the cursor below it. */
  end(): void;
};

const barChars = 30;
const redrawMsMin = 50;

/** `all` is how much there is to do, at least 1. */
export function createProgressLine(output: ProgressOutput, label: string, all: number): ProgressLine {
  return output.isTTY === true ? createBar(output, label, all) : createLines(output, label, all);
}

function createBar(output: ProgressOutput, label: string, all: number): ProgressLine {
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    show(done) {
      const at = performance.now();
      if (done < all && at - drawnAt < redrawMsMin) return;
      drawnAt = at;
      const filled = Math.floor((done / all) * barChars);
      output.write(`\r${label} [${'#'.repeat(filled)}${'-'.repeat(barChars - filled)}] ${done}/${all}`);
    },
    end: () => void output.write('\n'),
  };
}

function createLines(output: ProgressOutput, label: string, all: number): ProgressLine {
  let tenths = 0;
  return {
    show(done) {
      const reached = Math.floor((done / all) * 10);
      if (reached > tenths) output.write(`${label}: ${done} of ${all}\n`);
      tenths = reached;
    },
    end() {},
  };
}
