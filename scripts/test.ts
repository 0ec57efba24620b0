/**
 * `npm test`: the checks over the tree, then every test. What follows `--` goes to vitest.
 * The last line that it prints is `N passed, N failed`, each check counted as one.
 */
import { createVitest, parseCLI, type TestModule, type Vitest } from 'vitest/node';
import { hygieneChecks, runChecks } from './hygiene.ts';

type Counts = { passed: number; failed: number; skipped: number };

const signalStatuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
/** What keeps this process alive for longer after its last line was forgotten by a test, and is not waited for. */
const lingerMsMax = 2_000;

let interruptedStatus: number | null = null;
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const { passed } of await runChecks(hygieneChecks)) counts[passed ? 'passed' : 'failed'] += 1;
try {
  addCounts(counts, await runTests(process.argv.slice(2)));
} catch (error) {
  console.error(error);
  counts.failed += 1;
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = interruptedStatus ?? (counts.failed === 0 ? 0 : 1);
setTimeout(() => process.exit(), lingerMsMax).unref();

/** Counts what became of each test. A failure that belongs to no test counts as one more. */
async function runTests(args: readonly string[]): Promise<Counts> {
  const { filter, options } = parseCLI(['vitest', 'run', ...args]);
  const vitest = await createVitest({ ...options, run: true, watch: false });
  stopTidilyOnSignals(vitest);
  try {
    await vitest.start(filter);
  } finally {
    await vitest.close();
  }
  const sums: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const testModule of vitest.state.getTestModules()) addTests(testModule, sums);
  if (sums.passed + sums.failed === 0) throw new Error('No test ran.');
  const unhandled = vitest.state.getUnhandledErrors().length;
  if (unhandled > 0) console.error(`${unhandled} errors outside of any test, shown above.`);
  sums.failed += unhandled;
  // Some failures, such as one while the services are stopped, vitest tells by its exit status alone.
  if (sums.failed === 0 && Number(process.exitCode ?? 0) !== 0) throw new Error('Vitest failed outside of any test.');
  return sums;
}

/** On a signal vitest itself would end this process at once, and leave the services of the tests running. */
function stopTidilyOnSignals(vitest: Vitest): void {
  for (const [signal, status] of Object.entries(signalStatuses)) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      interruptedStatus ??= status;
      void vitest.cancelCurrentRun('keyboard-input');
    });
  }
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

function addCounts(sums: Counts, more: Counts): void {
  sums.passed += more.passed;
  sums.failed += more.failed;
  sums.skipped += more.skipped;
}
