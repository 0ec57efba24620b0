/** The ring of the shared board's nodes, as all processes of the installation share it. */
import type { Pool, Queryable } from './postgres.ts';

export type StoredRing = {
  /** Grows by one with every change. */
  readonly generation: number;
  /** Addresses with their credentials. */
  readonly nodes: readonly string[];
  readonly virtualNodes: number;
  readonly label: string;
  /** null: a ring of these nodes. Else they are seeds of a Redis Cluster, in which the board is cut into so many parts. */
  readonly parts: number | null;
};

export type RingStore = {
  /** null where no process has ever named a node. */
  read(): Promise<StoredRing | null>;
  /** Replaces the ring, unless it is like this already; answers it as it then stands. The processes that run take it over by themselves. */
  propose(ring: Omit<StoredRing, 'generation'>): Promise<StoredRing>;
};

export function createRingStore(pool: Pool): RingStore {
  return {
    read: () => readRing(pool),
    async propose({ nodes, virtualNodes, label, parts }) {
      await pool.query(
        `insert into ring (generation, nodes, virtual_nodes, label, cluster_parts)
        values (1, $1, $2, $3, $4)
        on conflict (only_row) do update
        set generation = ring.generation + 1,
          nodes = excluded.nodes,
          virtual_nodes = excluded.virtual_nodes,
          label = excluded.label,
          cluster_parts = excluded.cluster_parts,
          changed_at = clock_timestamp()
        where (ring.nodes, ring.virtual_nodes, ring.label, ring.cluster_parts)
          is distinct from (excluded.nodes, excluded.virtual_nodes, excluded.label, excluded.cluster_parts)`,
        // Their order does not matter, and is the same for everybody.
        [nodes.toSorted(), virtualNodes, label, parts],
      );
      const ring = await readRing(pool);
      if (ring === null) throw new Error('The ring is not in the ledger.');
      return ring;
    },
  };
}

/** What a poll and its options are called on the nodes, the options in ballot order. */
export type BoardNames = { readonly pollNo: number; readonly key: string; readonly optionIds: readonly string[] };

/** Of the polls with these numbers, without those that were deleted. */
export async function readBoardNames(pool: Pool, pollNos: readonly number[]): Promise<BoardNames[]> {
  const { rows } = await pool.query<BoardNames>(
    `select
      polls.poll_no as "pollNo",
      coalesce(polls.made_as, polls.id::text) as key,
      array(select id from options where options.poll_no = polls.poll_no order by option_no) as "optionIds"
    from polls
    where poll_no = any ($1)`,
    [pollNos],
  );
  return rows;
}

async function readRing(queryable: Queryable): Promise<StoredRing | null> {
  const { rows } = await queryable.query<StoredRing>(
    'select generation, nodes, virtual_nodes as "virtualNodes", label, cluster_parts as parts from ring',
  );
  return rows[0] ?? null;
}
