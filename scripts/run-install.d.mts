/** Runs the task while no other command holds the lock, which is a file. */
export function withLock<Result>(lock: string, task: () => Promise<Result>): Promise<Result>;
