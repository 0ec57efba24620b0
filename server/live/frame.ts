/** A frame: its text, and the bytes in which each transport sends it. Built once, whoever many it goes to. */

export type Frame = {
  readonly type: string;
  readonly text: string;
  /** What a server-sent event names as its id; null where a reader gains nothing by telling it back. */
  readonly eventId: string | null;
  /** One whole WebSocket message. A server does not mask, so the same bytes go to every socket (RFC 6455, section 5.1). */
  readonly webSocketBytes: () => Buffer;
  /** One server-sent event. */
  readonly eventBytes: () => Buffer;
};

export function createFrame(content: { readonly type: string }, eventId: string | null = null): Frame {
  const text = JSON.stringify(content);
  let webSocketBytes: Buffer | null = null;
  let eventBytes: Buffer | null = null;
  return {
    type: content.type,
    text,
    eventId,
    webSocketBytes: () => (webSocketBytes ??= toWebSocketBytes(text)),
    eventBytes: () => (eventBytes ??= toEventBytes(content.type, text, eventId)),
  };
}

const finalText = 0x81;
const shortLengthMax = 125;
const mediumLengthMax = 0xff_ff;

/** A final, unfragmented, unmasked text frame (RFC 6455, section 5.2). */
export function toWebSocketBytes(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headBytes = length <= shortLengthMax ? 2 : length <= mediumLengthMax ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headBytes + length);
  bytes[0] = finalText;
  if (headBytes === 2) {
    bytes[1] = length;
  } else if (headBytes === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  bytes.write(text, headBytes);
  return bytes;
}

/** JSON holds no line break, so one data line is enough (HTML Standard, section 9.2.5). */
function toEventBytes(type: string, text: string, eventId: string | null): Buffer {
  const id = eventId === null ? '' : `id: ${eventId}\n`;
  return Buffer.from(`event: ${type}\n${id}data: ${text}\n\n`);
}
