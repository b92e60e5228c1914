/** Builds the columns of a History, event by event. */
import { opKinds, opStatus } from './columns.ts';
import type { AuditChunk, History, LogColumns, OpColumns, RareOperation } from './columns.ts';
import type {
  AuditCompleted,
  AuditInvoked,
  Header,
  HistoryEvent,
  OperationError,
  RecordSeen,
} from './event.ts';
import { Bytes, Floats, Ints } from './growable.ts';
import { splitSends } from './send-columns.ts';
import { keepMeta } from './send-rules.ts';
import { SequenceRules } from './sequence-rules.ts';
import type { Step } from './sequence-rules.ts';

/** Records of one log that a poll or an audit saw. */
class Seen {
  readonly op = new Ints();
  readonly offset = new Floats();
  readonly value = new Ints();
  readonly meta = new Ints();
}

interface LogDraft {
  readonly reads: Seen;
  readonly audited: Seen;
  readonly audits: AuditChunk[];
}

interface RareDraft {
  readonly op: number;
  readonly invoked: HistoryEvent;
  completed: HistoryEvent | null;
}

export class ColumnsBuilder {
  readonly #rules = new SequenceRules(true);
  readonly #drafts: (LogDraft | undefined)[] = [];
  readonly #errors: OperationError[] = [];
  readonly #rare: RareDraft[] = [];
  /** Op to its draft, while it is open. */
  readonly #openRare = new Map<number, RareDraft>();
  readonly #observations: HistoryEvent[] = [];
  readonly #invokeIndex = new Floats();
  readonly #completeIndex = new Floats();
  readonly #invNs = new Floats();
  readonly #retNs = new Floats();
  readonly #endNs = new Floats();
  readonly #process = new Ints();
  readonly #session = new Ints();
  readonly #status = new Bytes();
  readonly #kind = new Bytes();
  readonly #error = new Ints();

  /** Takes one event of the right shape. @throws Problem if it may not stand here. */
  add(event: HistoryEvent): void {
    const step = this.#rules.accept(event);
    if (step.op === -1) this.#observations.push(event);
    else if (step.invoked === null) this.#invoke(event, step);
    else this.#complete(event, step, step.invoked);
  }

  /** The history so far. The builder must not be used after this. */
  finish(header: Header, warnings: readonly string[]): History {
    const rules = this.#rules;
    const order = this.#orderOfLogs();
    const { bySend, findSend } = splitSends(rules.sends, rules.logs, order);
    const logs = order.map((draftId, id): LogColumns => {
      const { reads, audited, audits } = this.#drafts[draftId] ?? newDraft();
      const { topic, partition } = rules.logs.parts[draftId]!;
      return {
        id,
        name: rules.logs.names[draftId]!,
        topic,
        partition,
        sends: bySend[id]!,
        reads: {
          count: reads.op.count,
          op: reads.op.view(),
          offset: reads.offset.view(),
          value: reads.value.view(),
          meta: reads.meta.view(),
        },
        audits,
        audited: {
          count: audited.offset.count,
          offset: audited.offset.view(),
          value: audited.value.view(),
          meta: audited.meta.view(),
        },
      };
    });
    return {
      header,
      eventCount: rules.nextIndex,
      lastTimeNs: rules.lastTimeNs,
      warnings,
      processes: rules.processes,
      sessions: rules.sessions,
      values: rules.values.list,
      metas: rules.metas,
      errors: this.#errors,
      ops: this.#opColumns(),
      logs,
      logByName: new Map(logs.map(({ name, id }) => [name, id])),
      rare: this.#rare.map(asRare),
      observations: this.#observations,
      findSend,
    };
  }

  #invoke(event: HistoryEvent, step: Step): void {
    this.#invokeIndex.push(event.index);
    this.#completeIndex.push(-1);
    this.#invNs.push(event.time);
    this.#retNs.push(Infinity);
    this.#endNs.push(Infinity);
    this.#process.push(step.process);
    this.#session.push(step.session);
    this.#status.push(opStatus.open);
    this.#kind.push(step.kind);
    this.#error.push(-1);
    if (isColumnar(step.kind)) return;
    const draft = { op: step.op, invoked: event, completed: null };
    this.#rare.push(draft);
    this.#openRare.set(step.op, draft);
  }

  #complete(event: HistoryEvent, step: Step, invoked: HistoryEvent): void {
    const { op, kind, status } = step;
    this.#completeIndex.set(op, event.index);
    this.#endNs.set(op, event.time);
    if (status !== opStatus.info) this.#retNs.set(op, event.time);
    this.#status.set(op, status);
    if (event.error !== undefined) this.#error.set(op, this.#errors.push(event.error) - 1);
    if (kind === opKinds.poll || kind === opKinds.txn) this.#addReads(event, op);
    if (kind === opKinds.audit && status === opStatus.ok) this.#addAudit(event, op, invoked);
    if (isColumnar(kind)) return;
    this.#openRare.get(op)!.completed = event;
    this.#openRare.delete(op);
  }

  /** What a poll returned was seen, whatever became of the poll's own operation. */
  #addReads(event: HistoryEvent, op: number): void {
    for (const micro of (event.value ?? []) as readonly (readonly unknown[])[]) {
      if (micro[0] !== 'poll' || micro.length === 1) continue;
      const byLog = micro[1] as Readonly<Record<string, readonly RecordSeen[]>>;
      for (const name of Object.keys(byLog)) {
        const { reads } = this.#draftOf(name);
        for (const record of byLog[name]!) this.#addRecord(reads, op, record);
      }
    }
  }

  #addAudit(event: HistoryEvent, op: number, invoked: HistoryEvent): void {
    const asked = invoked.value as AuditInvoked;
    const chunk = event.value as AuditCompleted;
    const { audited, audits } = this.#draftOf(chunk.log);
    const raw = chunk.view === 'raw';
    const recordsFrom = audited.offset.count;
    if (!raw) for (const record of chunk.records ?? []) this.#addRecord(audited, op, record);
    audits.push({
      op,
      scan: chunk.scan ?? asked.scan ?? `process ${event.process}`,
      view: chunk.view,
      replica: chunk.replica ?? asked.replica ?? null,
      from: chunk.from,
      next: chunk.next,
      start: chunk.start,
      end: chunk.end,
      lastStable: chunk.lastStable ?? null,
      leaderEpoch: chunk.leaderEpoch ?? null,
      linearizable: chunk.linearizable ?? false,
      recordsFrom,
      recordsTo: audited.offset.count,
      batches: raw ? (chunk.batches ?? []) : [],
    });
  }

  #addRecord(seen: Seen, op: number, record: RecordSeen): void {
    const meta = record[2];
    seen.op.push(op);
    seen.offset.push(record[0]);
    seen.value.push(this.#rules.values.intern(record[1]));
    seen.meta.push(meta === undefined ? 0 : keepMeta(this.#rules.metas, meta));
  }

  #draftOf(name: string): LogDraft {
    const id = this.#rules.logs.intern(name);
    return (this.#drafts[id] ??= newDraft());
  }

  /** Ids of the logs, sorted by topic, then partition; pseudo-logs first, and only those that hold a send. */
  #orderOfLogs(): number[] {
    const { names, parts } = this.#rules.logs;
    const held = new Set(this.#rules.sends.log.view());
    return names
      .map((_, id) => id)
      .filter((id) => parts[id]!.partition !== null || held.has(id))
      .sort((a, b) => {
        const [left, right] = [parts[a]!, parts[b]!];
        if (left.topic !== right.topic) return left.topic < right.topic ? -1 : 1;
        return (left.partition ?? -1) - (right.partition ?? -1);
      });
  }

  #opColumns(): OpColumns {
    return {
      count: this.#rules.opCount,
      invokeIndex: this.#invokeIndex.view(),
      completeIndex: this.#completeIndex.view(),
      invNs: this.#invNs.view(),
      retNs: this.#retNs.view(),
      endNs: this.#endNs.view(),
      process: this.#process.view(),
      session: this.#session.view(),
      status: this.#status.view(),
      kind: this.#kind.view(),
      error: this.#error.view(),
    };
  }
}

function newDraft(): LogDraft {
  return { reads: new Seen(), audited: new Seen(), audits: [] };
}

function isColumnar(kind: number): boolean {
  return kind === opKinds.send || kind === opKinds.poll || kind === opKinds.audit;
}

function asRare({ op, invoked, completed }: RareDraft): RareOperation {
  return { op, f: invoked.f, process: invoked.process, invoked, completed };
}
