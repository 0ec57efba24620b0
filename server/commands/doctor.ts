/** `hustings doctor`: checks what the settings name, and says in one line each what is well and what to change. Changes nothing that a start would not. */
import type { Config } from '../config.ts';
import type { Logger } from '../lib/logger.ts';
import { checkBroker } from './doctor/broker.ts';
import { checkDatabase } from './doctor/database.ts';
import { fail, toReason, type Finding } from './doctor/finding.ts';
import { checkMachine } from './doctor/machine.ts';
import { checkNodes } from './doctor/redis-nodes.ts';
import { checkSetup } from './doctor/setup.ts';

/** Answers what to print, and whether nothing fails. */
export async function diagnose(config: Config, log: Logger): Promise<{ well: boolean; report: string }> {
  // What a client logs about something that is away is told by a finding.
  const quiet: Logger = {
    debug: log.debug.bind(log),
    info: log.debug.bind(log),
    warn: log.debug.bind(log),
    error: log.debug.bind(log),
  };
  const areas: [name: string, check: Promise<readonly Finding[]>][] = [
    ['database', checkDatabase(config, { log: quiet })],
    ['broker', checkBroker(config, quiet)],
    ['redis', checkNodes(config, quiet)],
    ['machine', checkMachine(config)],
    ['setup', checkSetup(config)],
  ];
  const found = areas.map(([name, check]) => check.catch((error: unknown) => [fail(name, toReason(error))]));
  const findings = (await Promise.all(found)).flat();
  const lines = findings.map(({ level, area, text }) => `${level.padEnd(4)} ${area}: ${text}`);
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const [warned, failed] = [count('warn'), count('FAIL')];
  const sum = failed + warned === 0 ? 'All is well.' : `${failed} to change, ${warned} to look at.`;
  return { well: failed === 0, report: [...lines, sum].join('\n') };
}
