/** Tells the failures of a database that is away from mistakes of ours: the first pass, and the client may come again. */

/** A server that ends a connection says so with this severity, whatever the reason: it shuts down, restarts, or has no room. */
const connectionEnds: ReadonlySet<string> = new Set(['FATAL', 'PANIC']);
/** Classes of SQLSTATE: the connection (08), no resources (53), an operator's intervention (57), the system itself (58). */
const passingClasses: ReadonlySet<string> = new Set(['08', '53', '57', '58']);
/** A lock that was not had in time. */
const lockNotAvailable = '55P03';
const systemCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** What the driver itself says when a connection breaks, cannot be had or does not answer in time; it gives these no code. */
const driverMessage =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/u;

export function isLedgerAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, severity, syscall } = toFields(error);
  if (severity !== undefined) {
    return connectionEnds.has(severity) || passingClasses.has(code.slice(0, 2)) || code === lockNotAvailable;
  }
  // The socket of a local server is a file that goes away with it.
  return systemCodes.has(code) || (code === 'ENOENT' && syscall === 'connect') || driverMessage.test(error.message);
}

function toFields(error: Error): { code: string; severity: string | undefined; syscall: string | undefined } {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    code: ('code' in error ? text(error.code) : undefined) ?? '',
    severity: 'severity' in error ? text(error.severity) : undefined,
    syscall: 'syscall' in error ? text(error.syscall) : undefined,
  };
}
