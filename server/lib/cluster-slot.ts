/** The slot of a key in a Redis Cluster, by the cluster's own specification (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/). */

export const clusterSlotCount = 16_384;

/** Of the part between the first `{` and the next `}`, if there is something between them, else of the whole key. */
export function toClusterSlot(key: string): number {
  const start = key.indexOf('{');
  const end = start < 0 ? -1 : key.indexOf('}', start + 1);
  return toCrc16(Buffer.from(end > start + 1 ? key.slice(start + 1, end) : key)) % clusterSlotCount;
}

const polynomial = 0x1021;
const remainders = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80_00) === 0 ? crc << 1 : (crc << 1) ^ polynomial;
  return crc;
});

/** CRC-16/XMODEM. */
function toCrc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xff_ff) ^ (remainders[(crc >> 8) ^ byte] ?? 0);
  return crc;
}
