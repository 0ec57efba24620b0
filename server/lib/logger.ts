/** The part of pino's logger that Hustings uses: an object of facts first, then the event's name. */
type LogEvent = (facts: object, event: string) => void;

export type Logger = {
  readonly debug: LogEvent;
  readonly info: LogEvent;
  readonly warn: LogEvent;
  readonly error: LogEvent;
};
