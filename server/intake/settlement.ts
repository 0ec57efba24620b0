/**
 * How far the ballots of all processes have their outcome: what a poll in `closing` waits for.
 *
 * Each process that accepts ballots keeps its segments until a worker has marked them as recorded, and tells the others in the ledger up to
 * which moment nothing of it is missing. The earliest of these moments holds for the installation. It is exact while the processes live. One
 * that died can no longer say what it had appended, so the others hold on to its last word until the log has been empty for a while, or until
 * whatever still waits in it is younger than that word by a good margin.
 */
import type { LogNode, LogProgress } from '../ledger/log-progress.ts';
import type { Outstanding } from '../ingest-log/outstanding.ts';
import type { LogLength } from '../ingest-log/segment-log.ts';
import type { Logger } from '../lib/logger.ts';
import { toUuidText } from '../lib/uuid-v7.ts';

export type SettlementParts = {
  readonly nodeId: Buffer;
  readonly progress: LogProgress;
  readonly outstanding: Outstanding;
  /** When the oldest ballot was accepted that is on its way, in milliseconds; null without one. */
  readonly oldestWaitingAt: () => number | null;
  readonly measureLog: () => Promise<LogLength>;
  /** The ledger's clock in milliseconds. Whatever is accepted after a call is accepted later. */
  readonly now: () => number;
  /** Whether somebody waits for the answer: then it is asked for often. */
  readonly isAwaited: () => boolean;
  readonly log: Logger;
};

export type Settlement = {
  /** The moment (milliseconds, ledger's clock) up to which every accepted ballot has its outcome. It never goes back. */
  through(): number;
  /** Segments in the log that no worker has recorded, as of the last look. */
  backlog(): number;
  /** One look, for the start. */
  look(): Promise<void>;
  start(): void;
  /** Where nothing of this process is on its way any more, nobody will wait for it. */
  stop(): Promise<void>;
};

const quickMs = 100;
const slowMs = 1_000;
/** A process that has been silent for so long is dead: it reports each second. */
const silentMsMax = 10_000;
/** What the log handed out before it was seen empty has been recorded, or comes again, within this time. */
const emptyMsMin = 5_000;

export function createSettlement(parts: SettlementParts): Settlement {
  const { nodeId, progress, outstanding, now, log } = parts;
  const ownId = toUuidText(nodeId);
  let settledThrough = Number.NEGATIVE_INFINITY;
  let backlog = 0;
  let emptySince: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function takeMarks(): Promise<void> {
    if (outstanding.count() === 0) return;
    const marked = await progress.readMarks(nodeId);
    for (const segmentNo of marked) outstanding.remove(segmentNo);
    if (marked.length > 0) await progress.forgetMarks(nodeId, marked);
  }

  async function measure(): Promise<void> {
    const { segments } = await parts.measureLog();
    backlog = segments;
    if (segments > 0) emptySince = null;
    else emptySince ??= performance.now();
  }

  /** Whether a silent node holds the others up no longer. */
  async function isGone({ nodeId: id, silentMs }: LogNode): Promise<boolean> {
    if (id === ownId || silentMs < silentMsMax) return false;
    const oldestAt = parts.oldestWaitingAt();
    const isEmpty = emptySince !== null && performance.now() - emptySince >= emptyMsMin;
    const isPast = oldestAt !== null && now() - oldestAt < silentMs - silentMsMax;
    if (!isEmpty && !isPast) return false;
    log.info({ nodeId: id }, 'node that ended is settled');
    await progress.dropNode(id);
    return true;
  }

  async function lookOnce(): Promise<void> {
    const at = now();
    await takeMarks();
    const own = Math.min(at, parts.oldestWaitingAt() ?? at);
    const nodes = await progress.report(nodeId, own);
    await measure();
    let through = own;
    for (const node of nodes) {
      if (node.nodeId !== ownId && !(await isGone(node))) through = Math.min(through, node.settledThrough);
    }
    settledThrough = Math.max(settledThrough, through);
  }

  async function look(): Promise<void> {
    lookedAt = performance.now();
    await lookOnce().catch((error: unknown) => log.debug({ err: error }, 'settlement not known'));
  }

  /** Looks each second, and ten times as often while a poll waits to be closed. */
  async function tick(): Promise<void> {
    if (looking !== null || (performance.now() - lookedAt < slowMs && !parts.isAwaited())) return;
    looking = look();
    await looking;
    looking = null;
  }

  return {
    through: () => settledThrough,
    backlog: () => backlog,
    look,
    start() {
      timer = setInterval(() => void tick(), quickMs).unref();
    },
    async stop() {
      if (timer !== null) clearInterval(timer);
      await looking;
      await takeMarks().catch((error: unknown) => log.debug({ err: error }, 'settlement not known'));
      if (outstanding.count() > 0) return;
      await progress.dropNode(ownId).catch((error: unknown) => log.debug({ err: error }, 'node not signed off'));
    },
  };
}
