/**
 * Exact numbers. JSON numbers are decimal texts; JavaScript rounds them to doubles in silence, so that two values of a
 * file could become one. A number is *exact* if the double holds just what the text says: 17, 1.0, 1e3 and 0.5 are;
 * 9007199254740993, 0.1 and 1e-400 are not. Inexact numbers are refused wherever the format gives a number a meaning,
 * and ignored in extra fields and free records (a configuration, an observation).
 *
 * JSON.parse drops the text, so lines that could hold such a number (few do) are parsed a second time with each inexact
 * number replaced by a marker that no reading rule accepts anywhere: a list that holds a list of one list.
 */

const quote = 34;
const backslash = 92;
const minus = 45;
const point = 46;
const zero = 48;
const nine = 57;
const upperE = 69;
const lowerE = 101;

export type Inexact = readonly [readonly [readonly [source: string]]];

/** Of a plain integer with fewer digits than this, a double holds every digit. */
const digitsSuspect = 16;
/** A fraction, an exponent, or that many digits; it may also match inside a string, which costs time only. */
const suspect = new RegExp(`[0-9](?:[.eE]|[0-9]{${digitsSuspect - 1}})`);

/** False if every number of the JSON text is certainly exact. */
export function mayBeInexact(json: string): boolean {
  return suspect.test(json);
}

/** The same of many lines of UTF-8 at once, which costs far less per line. */
export function mayHoldInexact(bytes: Uint8Array): boolean {
  let digits = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte >= zero && byte <= nine) {
      if (++digits === digitsSuspect) return true;
    } else {
      if (digits > 0 && (byte === point || byte === lowerE || byte === upperE)) return true;
      digits = 0;
    }
  }
  return false;
}

export function isInexact(value: unknown): value is Inexact {
  if (!Array.isArray(value) || value.length !== 1) return false;
  const inner: unknown = value[0];
  if (!Array.isArray(inner) || inner.length !== 1) return false;
  const innermost: unknown = inner[0];
  if (!Array.isArray(innermost) || innermost.length !== 1) return false;
  const source: unknown = innermost[0];
  return typeof source === 'string' && /^-?[0-9]/.test(source);
}

/** The text with a marker in place of each inexact number, or null if all are exact. `json` must be valid JSON. */
export function markInexact(json: string): string | null {
  let marked = '';
  let copied = 0;
  let i = 0;
  while (i < json.length) {
    const c = json.charCodeAt(i);
    if (c === quote) {
      i = endOfString(json, i);
    } else if (c === minus || (c >= zero && c <= nine)) {
      const end = endOfNumber(json, i);
      const token = json.slice(i, end);
      if (!isExact(token)) {
        marked += `${json.slice(copied, i)}[[["${token}"]]]`;
        copied = end;
      }
      i = end;
    } else {
      i++;
    }
  }
  return copied === 0 ? null : marked + json.slice(copied);
}

/** Whether the double nearest to a JSON number is that number. */
export function isExact(token: string): boolean {
  const match = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(token);
  if (match === null) return false;
  const fraction = match[2] ?? '';
  const digits = ((match[1] ?? '') + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return true;
  // A double has at most 767 significant digits and lies between 2^-1074 and 2^1024.
  const double = Math.abs(Number(token));
  if (!Number.isFinite(double) || double === 0 || significant.length > 767) return false;
  const exponent = Number(match[3] ?? 0) - fraction.length + (digits.length - significant.length);
  const [mantissa, shift] = parts(double);
  // significant × 10^exponent = mantissa × 2^shift, with every power on the side where it is a whole number.
  let left = BigInt(significant);
  let right = mantissa;
  if (exponent >= 0) left *= 10n ** BigInt(exponent);
  else right *= 10n ** BigInt(-exponent);
  if (shift >= 0) right <<= BigInt(shift);
  else left <<= BigInt(-shift);
  return left === right;
}

function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json.charCodeAt(i) !== quote) i += json.charCodeAt(i) === backslash ? 2 : 1;
  return i + 1;
}

function endOfNumber(json: string, start: number): number {
  let i = start;
  while (i < json.length && '+-.0123456789Ee'.includes(json.charAt(i))) i++;
  return i;
}

/** A positive finite double as mantissa × 2^shift. */
function parts(double: number): readonly [mantissa: bigint, shift: number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, double);
  const bits = view.getBigUint64(0);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const biased = Number(bits >> 52n);
  return biased === 0 ? [fraction, -1074] : [fraction | (1n << 52n), biased - 1075];
}
