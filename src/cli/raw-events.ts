/**
 * A history as plain parsed lines, for the certifier: it shares nothing with the loader, so it reads for itself. EDN becomes
 * events in one way alone, by the importer.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { OrdealError, describeError } from '../core/errors.ts';
import type { Header, HistoryEvent } from '../history/event.ts';
import { isEdnHistory, loadRawHistory } from '../history/load.ts';

/**
 * Reads a file or run directory that the loader has accepted; a torn last line is left out, as there. The whole file is held in memory.
 */
export async function readRawEvents(
  path: string,
): Promise<{ readonly header: Header; readonly events: readonly HistoryEvent[] }> {
  if (await isEdnHistory(path)) return loadRawHistory(path);
  const plain = await readHistoryBytes(path);
  const [first = '', ...lines] = plain.toString('utf8').split('\n');
  const events = lines.flatMap((line, position) => {
    if (line === '') return [];
    const isLast = position === lines.length - 1;
    return isLast ? parseTornLine(line) : [JSON.parse(line) as HistoryEvent];
  });
  return { header: JSON.parse(first) as Header, events };
}

/** The bytes of a history file, unpacked if need be, or of that in a run directory. @throws OrdealError NO_SUCH_FILE. */
async function readHistoryBytes(path: string): Promise<Buffer> {
  const bytes = await readWhole(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  // Z_SYNC_FLUSH: a file that was cut off gives what it holds instead of an error.
  return isGzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    return await readFile(await fileOf(path));
  } catch (cause) {
    throw new OrdealError(
      'NO_SUCH_FILE',
      `${path}: cannot be opened: ${describeError(cause)}`,
      'name a history file that exists and may be read, or a run directory',
      { cause },
    );
  }
}

function parseTornLine(line: string): HistoryEvent[] {
  try {
    return [JSON.parse(line) as HistoryEvent];
  } catch {
    return [];
  }
}

/** In a run directory the plain file comes first, as for the loader. */
async function fileOf(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path;
  const plain = join(path, 'history.jsonl');
  const isPlain = await stat(plain).then(
    () => true,
    () => false,
  );
  return isPlain ? plain : `${plain}.gz`;
}
