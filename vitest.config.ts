import { defineConfig } from 'vitest/config';

/** Printed by vitest at the start; `npm test -- --sequence.seed=<seed>` repeats an order. */
const shuffle = { files: true, tests: true };
const folders = ['protocol', 'server', 'web', 'scripts', 'bench'];
/** What needs a Redis, a RabbitMQ or a Kafka: apart from the rest, so that the rest need not wait for them to start. */
const brokerTests = ['server/ingest-log/**/*.service.test.ts', 'test/brokers/**/*.test.ts'];
const unitMsMax = 60_000;
const serviceMsMax = 120_000;
/** So long `expect.poll` waits for what must come, unless a test says otherwise. Its own second is less than a busy machine takes. */
const patience = { poll: { timeout: 30_000 } } as const;
const serviceLimits = {
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: serviceMsMax,
  hookTimeout: serviceMsMax,
  expect: patience,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            ...folders.map((folder) => `${folder}/**/*.test.ts`),
            'test/structure/**/*.test.ts',
            'test/deploy/**/*.test.ts',
            'test/crash/checker.test.ts',
          ],
          exclude: ['**/*.service.test.ts'],
          sequence: { shuffle, groupOrder: 0 },
          // Far beyond what they take: a busy machine is no failure.
          testTimeout: unitMsMax,
          expect: patience,
          // They leave nothing behind, so files share their modules: 13 s became 7 s (2026-11-21, 115 files).
          isolate: false,
        },
      },
      {
        test: {
          name: 'service',
          include: [
            ...folders.map((folder) => `${folder}/**/*.service.test.ts`),
            'test/{contracts,conformance,crash,start,live,pages,e2e}/**/*.test.ts',
          ],
          exclude: ['test/crash/checker.test.ts', ...brokerTests],
          globalSetup: ['test/support/global-setup.ts', 'test/support/browser-setup.ts'],
          sequence: { shuffle, groupOrder: 1 },
          ...serviceLimits,
        },
      },
      {
        test: {
          name: 'broker',
          include: brokerTests,
          globalSetup: ['test/support/broker-setup.ts', 'test/support/browser-setup.ts'],
          sequence: { shuffle, groupOrder: 2 },
          ...serviceLimits,
        },
      },
    ],
  },
});
