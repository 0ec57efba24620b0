import { describe, expect, test } from 'vitest';
import { findStalePages, pages } from '../scripts/docs.ts';
import { AppError, errors, type ErrorRow } from './errors.ts';

const rows = Object.entries<ErrorRow>(errors);

describe('the table of errors', () => {
  test.each(rows)('%s has whole sentences and a section in docs/errors.md', (code, row) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(row.title).toMatch(/^[A-Z].*[^.]$/);
    expect(row.meaning).toMatch(/^[A-Z].*\.$/);
    expect(row.remedy).toMatch(/^[A-Z].*\.$/);
    expect(pages['docs/errors.md']?.()).toContain(`\n## ${code}\n\n**${row.title}.**`);
  });

  test('docs/errors.md is the page made from it', () => {
    expect(findStalePages()).not.toContain('docs/errors.md');
  });

  test('titles are unique', () => {
    const titles = rows.map(([, row]) => row.title);
    expect(titles).toEqual([...new Set(titles)]);
  });

  test.each(rows)('the status of %s is an error and says the same as its retry', (code, row) => {
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
    // Only a capacity or a mistake of ours is a 5xx: what a client sends never is.
    if (row.status >= 500) expect([500, 503]).toContain(row.status);
    if (row.status >= 500 || row.status === 429) expect(row.retry).toBe('later');
    if (row.status === 500) expect(code).toBe('internal');
    if ([400, 413, 415, 422].includes(row.status)) expect(row.retry).toBe('after_fix');
  });

  test.each(rows)('%s has Retry-After exactly where its status is 429 or 503', (_, row) => {
    const { status, retryAfterSeconds } = row;
    expect(retryAfterSeconds !== undefined).toBe(status === 429 || status === 503);
    if (retryAfterSeconds !== undefined) {
      expect(Number.isInteger(retryAfterSeconds)).toBe(true);
      expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
    }
  });

  test('only failures after which a COMMIT may have happened begin as unknown', () => {
    const unknown = rows.filter(([, row]) => row.recorded !== undefined).map(([code]) => code);
    expect(unknown).toEqual(['ingest_log_unavailable', 'ledger_unavailable', 'internal']);
  });
});

describe('AppError', () => {
  test('says that nothing was recorded unless the row or the thrower knows otherwise', () => {
    expect(new AppError('poll_closed', '').recorded).toBe('no');
    expect(new AppError('internal', '').recorded).toBe('unknown');
    expect(new AppError('ledger_unavailable', '', { recorded: 'no' }).recorded).toBe('no');
    expect(new AppError('ballot_already_cast', '', { recorded: 'yes' }).recorded).toBe('yes');
  });

  test('keeps its code, detail, row, cause, violations and extra members', () => {
    const cause = new Error('below');
    const violations = [{ pointer: '/options/0', rule: 'unknown option' }];
    const extra = { opensAt: '2030-01-01T00:00:00Z' };
    const error = new AppError('ballot_invalid', 'There is no option 9.', {
      cause,
      violations,
      extra,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe('There is no option 9.');
    expect(error).toMatchObject({ name: 'AppError', code: 'ballot_invalid', violations, extra });
    expect(error.row.status).toBe(422);
    expect(error.cause).toBe(cause);
    expect(new AppError('internal', '')).not.toHaveProperty('cause');
  });
});
