/**
 * `npm test`: the checks over the tree, then every test. What follows `--` goes to vitest.
 * The last line that it prints is `N passed, N failed`, each check counted as one.
 */
import { startVitest, type TestModule } from 'vitest/node';
import { hygieneChecks, runChecks } from './hygiene.ts';

type Counts = { passed: number; failed: number; skipped: number };

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const { passed } of await runChecks(hygieneChecks)) counts[passed ? 'passed' : 'failed'] += 1;
const testCount = await runTests(process.argv.slice(2), counts);
if (testCount === 0) {
  console.error('No test ran.');
  counts.failed += 1;
}
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exit(counts.failed === 0 ? 0 : 1);

/** Adds up what became of each test, and answers how many there were. */
async function runTests(args: readonly string[], sums: Counts): Promise<number> {
  const { filter, options } = parseArgs(args);
  const vitest = await startVitest(filter, { watch: false, run: true, ...options });
  const modules = vitest.state.getTestModules();
  for (const testModule of modules) addTests(testModule, sums);
  const unhandled = vitest.state.getUnhandledErrors().length;
  if (unhandled > 0) console.error(`${unhandled} errors outside of any test, shown above.`);
  sums.failed += unhandled;
  await vitest.close();
  return sums.passed + sums.failed + sums.skipped - hygieneChecks.length;
}

function addTests(testModule: TestModule, sums: Counts): void {
  const tests = [...testModule.children.allTests()];
  for (const test of tests) {
    const { state } = test.result();
    // A test that was cut off has no result: that is no success.
    sums[state === 'pending' ? 'failed' : state] += 1;
  }
  // A file that cannot be loaded, or whose hooks fail, has errors of its own.
  if (testModule.state() === 'failed' && tests.every((test) => test.result().state !== 'failed')) sums.failed += 1;
}

/** File filters, and `--name=value` options of vitest such as `--sequence.seed=7`. */
function parseArgs(args: readonly string[]): { filter: string[]; options: Record<string, unknown> } {
  const options: Record<string, unknown> = {};
  const filter = args.filter((arg) => !arg.startsWith('--'));
  for (const arg of args.filter((each) => each.startsWith('--'))) {
    const [name = '', value = 'true'] = arg.slice(2).split('=', 2);
    const path = name.split('.');
    const last = path.pop() ?? name;
    let place = options;
    for (const part of path) place = (place[part] ??= {}) as Record<string, unknown>; // Made here, one level at a time.
    place[last] = /^\d+$/u.test(value) ? Number(value) : value;
  }
  return { filter, options };
}
