/** Record bytes as the scalar that the history holds, and back. */
import type { Scalar } from '../../history/event.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The scalar whose UTF-8 JSON text these bytes are; any other bytes are the string "hex:<hex>", so that nothing that a
 * broker returns is lost or mistaken. A number counts only in its shortest text: others may not be exact.
 */
export function decodeScalar(bytes: Buffer): Scalar {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number' && JSON.stringify(value) === text) return value;
  } catch {
    // Not UTF-8, or not JSON: shown as hex below.
  }
  return `hex:${bytes.toString('hex')}`;
}

/** The bytes that `decodeScalar` reads back; null is a record without a value, or without a key. */
export function encodeScalar(value: Scalar): Buffer | null {
  return value === null ? null : Buffer.from(JSON.stringify(value));
}
