/**
 * What became of accepted ballots and of the segments that carried them, in the ledger: how far every process that accepts ballots is
 * settled, which segments are recorded, which ballots were refused and why.
 */
import type { ErrorCode } from '../errors.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import { toSelectionsText } from '../poll/ballot.ts';
import type { Pool } from './postgres.ts';

export type LogNode = {
  readonly nodeId: string;
  /** Every ballot that the node accepted before it has its outcome. Milliseconds by the ledger's clock. */
  readonly settledThrough: number;
  /** For how long the node has not reported, in milliseconds. */
  readonly silentMs: number;
};

/** A segment whose ballots all have their outcome. */
export type SegmentMark = { readonly nodeId: Buffer; readonly segmentNo: number };

/** An accepted ballot that was refused when it was recorded. */
export type BallotRefusal = {
  readonly ballotId: Buffer;
  readonly pollNo: number;
  readonly reason: ErrorCode;
  /** Option numbers, for its sender alone. */
  readonly selections: readonly number[];
  /** Milliseconds by the ledger's clock. */
  readonly acceptedAt: number;
};

export type LogProgress = {
  /** Tells how far this node is settled, and answers how far every node is, this one included. */
  report(nodeId: Buffer, settledThrough: number): Promise<LogNode[]>;
  /** The node has ended: nobody waits for it. Its marks go with it. */
  dropNode(nodeId: string): Promise<void>;
  /** The numbers of segments of this node that were marked. */
  readMarks(nodeId: Buffer): Promise<number[]>;
  /** Takes away marks that the node has taken note of. */
  forgetMarks(nodeId: Buffer, segmentNos: readonly number[]): Promise<void>;
  /** One transaction: refusals first, so that a marked segment has all its outcomes. A repeat changes nothing. */
  settle(refusals: readonly BallotRefusal[], marks: readonly SegmentMark[]): Promise<void>;
};

export function createLogProgress(pool: Pool): LogProgress {
  return {
    async report(nodeId, settledThrough) {
      await pool.query(
        `insert into log_nodes (node_id, settled_through)
        values ($1, $2)
        on conflict (node_id) do update
        set settled_through = excluded.settled_through,
          seen_at = clock_timestamp()`,
        [toUuidText(nodeId), new Date(settledThrough)],
      );
      const { rows } = await pool.query<LogNode>(`
        select
          node_id as "nodeId",
          settled_through as "settledThrough",
          (extract(epoch from clock_timestamp() - seen_at) * 1000)::bigint as "silentMs"
        from log_nodes
      `);
      return rows;
    },
    async dropNode(nodeId) {
      await pool.query('delete from log_nodes where node_id = $1', [nodeId]);
    },
    async readMarks(nodeId) {
      const { rows } = await pool.query<{ no: number }>(
        'select segment_no as no from log_segments where node_id = $1 order by segment_no limit 10000',
        [toUuidText(nodeId)],
      );
      return rows.map(({ no }) => no);
    },
    async forgetMarks(nodeId, segmentNos) {
      await pool.query('delete from log_segments where node_id = $1 and segment_no = any ($2::bigint[])', [
        toUuidText(nodeId),
        segmentNos,
      ]);
    },
    async settle(refusals, marks) {
      await pool.query(
        `with refused as (
          insert into ballot_refusals (ballot_id, poll_no, reason, accepted_at, selections)
          select distinct on (given.ballot_id)
            given.ballot_id, given.poll_no, given.reason, given.accepted_at, given.selections
          from unnest($1::uuid[], $2::integer[], $3::text[], $4::timestamptz[], $7::text[])
            as given (ballot_id, poll_no, reason, accepted_at, selections)
          order by given.ballot_id, given.accepted_at desc
          on conflict (ballot_id) do update
          set reason = excluded.reason,
            accepted_at = excluded.accepted_at,
            refused_at = excluded.refused_at
          where ballot_refusals.accepted_at < excluded.accepted_at
        )
        insert into log_segments (node_id, segment_no)
        select given.node_id, given.segment_no
        from unnest($5::uuid[], $6::bigint[]) as given (node_id, segment_no)
        join log_nodes on log_nodes.node_id = given.node_id
        on conflict do nothing`,
        [
          refusals.map(({ ballotId }) => toUuidText(ballotId)),
          refusals.map(({ pollNo }) => pollNo),
          refusals.map(({ reason }) => reason),
          refusals.map(({ acceptedAt }) => new Date(acceptedAt)),
          marks.map(({ nodeId }) => toUuidText(nodeId)),
          marks.map(({ segmentNo }) => segmentNo),
          refusals.map(({ selections }) => toSelectionsText(selections)),
        ],
      );
    },
  };
}
