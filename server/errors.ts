/**
 * When the same request may succeed: `never` as it stands, `after_fix` once the client has changed it,
 * `later` without a change.
 */
export type Retry = 'never' | 'after_fix' | 'later';

/** Whether the ballot (or whatever the request would write) is in the ledger. */
export type Recorded = 'no' | 'unknown' | 'yes';

/** One rule that a part of the request breaks. `pointer` is a JSON Pointer into the body, "" for all of it. */
export interface Violation {
  readonly pointer: string;
  readonly rule: string;
}

export interface ErrorRow {
  readonly status: number;
  readonly title: string;
  readonly retry: Retry;
  /** Value of the `Retry-After` header. Every 429 and 503 has one. */
  readonly retryAfterSeconds?: number;
  /** What an error of this code says when the thrower does not know better. Absent means `no`. */
  readonly recorded?: Recorded;
  /** What happened. One or two sentences for docs/errors.md. */
  readonly meaning: string;
  /** What the client can do about it. */
  readonly remedy: string;
}

const rows = {
  // Malformed: the request cannot be read.
  request_malformed: {
    status: 400,
    title: 'The request cannot be read',
    retry: 'after_fix',
    meaning: 'The body is not JSON, or a parameter or header has the wrong form.',
    remedy: 'Compare the request with the API reference at `/docs`; `violations` names the places.',
  },
  body_too_large: {
    status: 413,
    title: 'The request body is too large',
    retry: 'after_fix',
    meaning: 'The body has more bytes than this server reads (`--body-bytes-max`).',
    remedy: 'Send less, or send a list in several requests.',
  },
  batch_too_large: {
    status: 413,
    title: 'The batch holds too many ballots',
    retry: 'after_fix',
    meaning: 'One request brings more ballots than this server takes at once. None was recorded.',
    remedy: 'Send the ballots in several smaller requests.',
  },
  media_type_unsupported: {
    status: 415,
    title: 'The media type is not supported',
    retry: 'after_fix',
    meaning: 'The `Content-Type` of the body is not one that this route reads.',
    remedy: 'Send `application/json`, or what the API reference names for the route.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    retry: 'later',
    meaning: 'The request was not complete in time (`--request-timeout-ms`), so nothing was done.',
    remedy: 'Send it again over a better connection, with the same `Idempotency-Key`.',
  },

  // Who: the sender is not known or not allowed.
  credential_missing: {
    status: 401,
    title: 'A credential is missing',
    retry: 'after_fix',
    meaning: 'The route needs to know who is asking, and the request does not say.',
    remedy: 'Send the credential that the poll asks for: a cookie, a code, a token or a key.',
  },
  credential_invalid: {
    status: 401,
    title: 'The credential is not valid',
    retry: 'after_fix',
    meaning: 'The token has expired, is signed by somebody else, or is no token that this server reads.',
    remedy: 'Get a new token from whoever signs you in, and send it as `Authorization: Bearer <token>`.',
  },
  manage_key_wrong: {
    status: 403,
    title: 'The manage key is wrong',
    retry: 'after_fix',
    meaning: 'The key is not the one that was handed out when the poll was created.',
    remedy: 'Use the manage link of this poll. It was shown once, to its creator.',
  },
  create_key_wrong: {
    status: 403,
    title: 'The create key is wrong',
    retry: 'after_fix',
    meaning: 'This server lets only holders of its create key create polls.',
    remedy: 'Ask whoever runs the server for the key, and send it in the `Create-Key` header.',
  },
  origin_forbidden: {
    status: 403,
    title: 'The request comes from another site',
    retry: 'after_fix',
    meaning:
      'A page of another site sent the request with the cookies of this one, or opened a live socket without being allowed to.',
    remedy: 'Use the pages of this server, send the key in a header, or name the site in `--cors-origins`.',
  },
  voter_not_eligible: {
    status: 403,
    title: 'This voter may not vote here',
    retry: 'after_fix',
    meaning: 'The voter is known, and does not belong to the electorate of the poll.',
    remedy: 'Sign in as, or use the code of, a voter of this poll.',
  },
  results_hidden: {
    status: 403,
    title: 'The results are hidden',
    retry: 'later',
    meaning: 'The poll does not show its results yet, on any surface.',
    remedy: 'Ask again after the poll has shown its results.',
  },

  // Absent: what the request names does not exist.
  poll_not_found: {
    status: 404,
    title: 'There is no such poll',
    retry: 'never',
    meaning: 'No poll has this id or slug.',
    remedy: 'Check the address.',
  },
  ballot_not_found: {
    status: 404,
    title: 'There is no such ballot',
    retry: 'never',
    meaning: 'No ballot has this id or receipt in this poll.',
    remedy: 'Check the id, and that it is asked of the poll where the ballot was cast.',
  },
  route_not_found: {
    status: 404,
    title: 'There is no such address',
    retry: 'never',
    meaning: 'The server has nothing at this path.',
    remedy: 'Compare the path with the API reference at `/docs`.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    retry: 'never',
    meaning: 'The path exists, and does not take this method.',
    remedy: 'Use one of the methods in the `Allow` header.',
  },

  // State: the poll is not in a state that allows it.
  poll_not_open: {
    status: 409,
    title: 'The poll is not open',
    retry: 'never',
    meaning: 'The poll is a draft, or its opening time has not come. The ballot does not count.',
    remedy: 'Wait until the poll is open, then cast a new ballot.',
  },
  poll_closed: {
    status: 409,
    title: 'The poll is closed',
    retry: 'never',
    meaning: 'The ballot came at or after the closing time by the clock of the ledger.',
    remedy: 'Nothing can be done: a ballot counts only between opening and closing.',
  },
  poll_state_conflict: {
    status: 409,
    title: 'The poll cannot do that in its state',
    retry: 'never',
    meaning: 'The change does not fit the status of the poll, such as closing a draft.',
    remedy: 'Read the poll again and decide from its status.',
  },
  options_frozen: {
    status: 409,
    title: 'The options can no longer change',
    retry: 'never',
    meaning: 'The poll has been open, so its options are those that voters saw.',
    remedy: 'Create a new poll with the other options.',
  },
  slug_taken: {
    status: 409,
    title: 'The slug is taken',
    retry: 'after_fix',
    meaning: 'Another poll on this server already has this slug.',
    remedy: 'Choose another slug.',
  },
  ballot_already_cast: {
    status: 409,
    title: 'This voter has already voted',
    retry: 'never',
    meaning: 'A ballot of this voter is in the ledger, and the poll takes one for good. This one was not recorded.',
    remedy: 'Nothing: the first ballot counts. A retry with the key of that ballot gets its receipt.',
  },

  // Rule: the request can be read, and breaks a rule.
  poll_invalid: {
    status: 422,
    title: 'The poll breaks a rule',
    retry: 'after_fix',
    meaning: 'The poll can be read and cannot be held as it is described.',
    remedy: 'Change what `violations` names.',
  },
  ballot_invalid: {
    status: 422,
    title: 'The ballot breaks a rule',
    retry: 'after_fix',
    meaning: 'The ballot can be read and does not fit the poll, such as an overvote.',
    remedy: 'Change what `violations` names and cast the ballot again.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key belongs to another request',
    retry: 'after_fix',
    meaning: 'The key came before with other content. The earlier request stands; this one was not recorded.',
    remedy: 'Make a new key for each new ballot, and keep it for retries of that ballot only.',
  },

  // Limit and capacity: the server protects itself, says so at once, and keeps what it has acknowledged.
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    retry: 'later',
    retryAfterSeconds: 1,
    meaning: 'This sender has used up what one sender may ask for in a while.',
    remedy: 'Wait as long as `Retry-After` says, then send it again with the same key.',
  },
  images_busy: {
    status: 503,
    title: 'Too many pictures are being made',
    retry: 'later',
    retryAfterSeconds: 1,
    meaning: 'Making pictures is costly, so only some are made at a time. Votes and results are not affected.',
    remedy: 'Wait as long as `Retry-After` says, then ask again.',
  },
  too_many_connections: {
    status: 503,
    title: 'Too many live connections',
    retry: 'later',
    retryAfterSeconds: 5,
    meaning:
      'The server, or this address, holds as many live connections as it may (`--sockets-max`, `--sockets-per-address-max`).',
    remedy: 'Wait as long as `Retry-After` says, or read the tally without waiting.',
  },
  ingest_log_full: {
    status: 503,
    title: 'Too many ballots are waiting',
    retry: 'later',
    retryAfterSeconds: 1,
    meaning: 'As many ballots as the server holds (`--ballots-waiting-max`) are waiting to be recorded.',
    remedy: 'Wait as long as `Retry-After` says, then send it again with the same key.',
  },
  ingest_log_unavailable: {
    status: 503,
    title: 'The ingest log cannot be reached',
    retry: 'later',
    retryAfterSeconds: 2,
    recorded: 'unknown',
    meaning:
      'The broker that carries ballots to the workers does not answer. `recorded` says whether it may have this one.',
    remedy: 'Send it again with the same key: it counts once, and the receipt is the same.',
  },
  ledger_unavailable: {
    status: 503,
    title: 'The ledger cannot be reached',
    retry: 'later',
    retryAfterSeconds: 2,
    recorded: 'unknown',
    meaning: 'The database does not answer. If it failed while it was recording, the outcome is unknown.',
    remedy: 'Send it again with the same key: it counts once, and the receipt is the same.',
  },
  tokens_unverifiable: {
    status: 503,
    title: 'Tokens cannot be verified',
    retry: 'later',
    retryAfterSeconds: 5,
    meaning:
      'The keys of the issuer cannot be had (`--jwt-jwks-url`), or the server was started without any (`JWT_SECRET_KEY`).',
    remedy: 'Wait as long as `Retry-After` says, then send it again with the same key.',
  },
  shutting_down: {
    status: 503,
    title: 'The server is shutting down',
    retry: 'later',
    retryAfterSeconds: 5,
    meaning: 'The server finishes what it has acknowledged and takes nothing new.',
    remedy: 'Wait as long as `Retry-After` says, then send it again with the same key.',
  },

  // Bug: ours, never the client's.
  internal: {
    status: 500,
    title: 'Something went wrong in the server',
    retry: 'later',
    recorded: 'unknown',
    meaning: 'A mistake of the server. Its log holds the cause under the id in `instance`.',
    remedy: 'Send it again with the same key: it counts once. Report it if it stays.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof rows;

/** Every refusal that a client can meet. docs/errors.md is made from it. */
export const errors: Readonly<Record<ErrorCode, ErrorRow>> = rows;

interface AppErrorOptions {
  readonly cause?: unknown;
  readonly violations?: readonly Violation[];
  readonly recorded?: Recorded;
  /** In place of what the row says, where the thrower knows better. */
  readonly retryAfterSeconds?: number;
  /** More members for the problem body. They must not name a voter together with a selection. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * An expected refusal. `detail` is a sentence for the client about this one case.
 *
 * `recorded` is `no` unless the row or the thrower says otherwise: `internal` and `ledger_unavailable`
 * begin as `unknown`, because a COMMIT may have happened before the failure.
 */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly violations: readonly Violation[];
  readonly recorded: Recorded;
  readonly retryAfterSeconds: number | undefined;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.violations = options.violations ?? [];
    this.recorded = options.recorded ?? errors[code].recorded ?? 'no';
    this.retryAfterSeconds = options.retryAfterSeconds ?? this.row.retryAfterSeconds;
    this.extra = options.extra ?? {};
  }

  get row(): ErrorRow {
    return errors[this.code];
  }
}
