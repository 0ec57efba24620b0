import { describeBus } from '../support/describe-bus.ts';

describeBus('PostgreSQL', () =>
  Promise.resolve({
    flags: ['--bus', 'postgres'],
    env: {},
    cut: (server) =>
      server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%' or (datname = current_database() and query like 'select pg_notify%')",
      ),
  }),
);
