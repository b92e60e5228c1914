/**
 * The public API: judging histories, writing them, and the types that plug-ins implement. Everything else is internal
 * and may change.
 */
export { checkHistory, checkers, defaultLimits } from '../checkers/index.ts';
export type { CheckOptions } from '../checkers/index.ts';
export { certifiable, certifyWitness } from '../checkers/certify/index.ts';
export type { Certificate } from '../checkers/certify/index.ts';
export { nemeses } from '../nemeses/index.ts';
export { OrdealError, errorCodes, exitCodes } from './core/errors.ts';
export type { ErrorCode } from './core/errors.ts';
export { createRealClock } from './core/clock.ts';
export type { Clock, Timer } from './core/clock.ts';
export { randomStream } from './core/random.ts';
export type { Random } from './core/random.ts';
export { loadHistory, loadRawHistory } from './history/load.ts';
export { ednLines } from './history/edn/export.ts';
export { readEdnEvents } from './history/edn/import.ts';
export { loadHistoryText, readEvents } from './history/load-text.ts';
export { openRecorder } from './history/recorder.ts';
export { eventLine, headerLine } from './history/write.ts';
export type { History } from './history/columns.ts';
export type {
  EventType,
  Header,
  HistoryEvent,
  LogName,
  Meta,
  MicroOp,
  Process,
  RecordSeen,
  Scalar,
} from './history/event.ts';
export type { EventDraft, Recorder, RecorderStats } from './history/recording.ts';
export { renderJson } from './report/json.ts';
export { resultSchema } from './report/schema.ts';
export { plainPaint, renderText } from './report/text.ts';
export { viewOf } from './report/view.ts';
export type { ReportView } from './report/view.ts';
export type { Checker, CheckLimits } from './spi/checker.ts';
export type {
  AuditClient,
  Outcome,
  ProducerClient,
  ProducerFactory,
  ReaderClient,
  ReaderFactory,
} from './spi/client.ts';
export type { AdminPort, Cluster, NetworkPort, ProcessPort } from './spi/cluster.ts';
export type { FaultContext, FaultPlan, Nemesis, Role, ScheduledFault } from './spi/nemesis.ts';
export { anomalyNames, claimNames, claims } from './spi/verdict.ts';
export type {
  AnomalyName,
  AnomalyResult,
  ClaimName,
  ClaimResult,
  Coverage,
  ResultDocument,
  Witness,
} from './spi/verdict.ts';
export type { Workload, WorkloadOptions, WorkerScript } from './spi/workload.ts';
export { workloads } from './workloads/index.ts';
