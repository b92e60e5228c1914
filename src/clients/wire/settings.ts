/** Bounds of the wire client: each wait and each size has one. */
export interface WireSettings {
  readonly connectTimeoutMs: number;
  /** Of one request, beyond the wait that a fetch asks the broker for. */
  readonly requestTimeoutMs: number;
  /** Of the metadata round before a poll; late answers still count when they come. */
  readonly metadataTimeoutMs: number;
  /** How long a metadata round waits for the others after the first answer: a frozen node must not hold up a poll. */
  readonly metadataGraceMs: number;
  /** A leader table older than this is refreshed: a leader that is cut off never says that it lost its post. */
  readonly metadataMaxAgeMs: number;
  /** Least time between two refreshes, so that a failing poll does not spin. */
  readonly refreshBackoffMs: number;
  /** How long a poll waits for the first record. */
  readonly pollWaitMs: number;
  readonly pollBytesMax: number;
  readonly partitionBytesMax: number;
  /** Of one audit chunk; a single larger batch still comes whole. */
  readonly chunkBytesMax: number;
  readonly responseBytesMax: number;
  /** Of an admin call with its retries: creating topics, finding a coordinator, an election. */
  readonly adminTimeoutMs: number;
}

export const wireDefaults: WireSettings = {
  connectTimeoutMs: 1_000,
  requestTimeoutMs: 3_000,
  metadataTimeoutMs: 1_000,
  metadataGraceMs: 150,
  metadataMaxAgeMs: 1_000,
  refreshBackoffMs: 100,
  pollWaitMs: 500,
  pollBytesMax: 16 * 1024 * 1024,
  partitionBytesMax: 1024 * 1024,
  chunkBytesMax: 1024 * 1024,
  responseBytesMax: 64 * 1024 * 1024,
  adminTimeoutMs: 30_000,
};
