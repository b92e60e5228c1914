/** A simulated run keeps its history and its brokers' logs in memory: one that cannot fit is refused before it starts. */
import { OrdealError } from '../core/errors.ts';
import type { RunOptions } from '../run/options.ts';

/** Measured: docs/benchmarks.md. Reads come on top of sends, and the collector needs room to work. */
const bytesPerSend = 2_000;
const bytesAtRest = 100_000_000;
const mebibyte = 2 ** 20;

/**
 * @param heapBytes the most that V8 will use.
 * @throws OrdealError BAD_ARGUMENT if a simulated run of this length and rate needs more.
 */
export function refuseBeyondMemory(options: RunOptions, heapBytes: number): void {
  if (options.simulated === null) return;
  const { limits, ratePerSecond } = options;
  const sends = (limits.faultsMs / 1_000) * ratePerSecond;
  const needed = bytesAtRest + sends * bytesPerSend;
  if (needed <= heapBytes) return;
  const [neededMb, heapMb] = [needed, heapBytes].map((bytes) => Math.ceil(bytes / mebibyte));
  throw new OrdealError(
    'BAD_ARGUMENT',
    `--time-limit and --rate: ${Math.ceil(sends)} simulated sends need some ${neededMb} MiB, and Node may use ${heapMb} MiB`,
    `a shorter --time-limit or a lower --rate; or, if the machine has it, NODE_OPTIONS=--max-old-space-size=${neededMb}`,
  );
}
