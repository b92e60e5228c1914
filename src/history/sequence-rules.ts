/**
 * The rules between events, shared by the reader and the recorder: what may follow what. An event that breaks one is
 * refused before it changes anything, so that a recorder can go on after a refusal.
 *
 * The state is what the rules need and what the reader keeps anyway: processes, sessions, values, logs and sends.
 */
import { opKinds, opStatus } from './columns.ts';
import type { OpStatus } from './columns.ts';
import { checkChunk } from './audit-shape.ts';
import { isClientFunction, isNemesis } from './event-shape.ts';
import type { AuditCompleted, AuditInvoked, HistoryEvent, Meta, Process } from './event.ts';
import { LogNames } from './log-name.ts';
import { Problem, show } from './problem.ts';
import { SendRules } from './send-rules.ts';
import { SendTable } from './send-table.ts';
import { Values } from './values.ts';

export interface OpenOperation {
  readonly op: number;
  readonly invoked: HistoryEvent;
  readonly session: number;
  /** Sends that the invocation and attempts recorded. */
  sends: number;
}

export interface ProcessState {
  /** Position in `processes`. */
  readonly id: number;
  defaultSession: number;
  open: OpenOperation | null;
  /** A client whose operation ended in info: it never acts again. */
  spent: boolean;
}

/** What an event did. `op` is -1 for observations. */
export interface Step {
  readonly op: number;
  readonly kind: number;
  readonly status: OpStatus;
  readonly process: number;
  readonly session: number;
  /** The invocation of a completion. */
  readonly invoked: HistoryEvent | null;
}

const statusOf = { ok: opStatus.ok, fail: opStatus.fail, info: opStatus.info } as const;

export class SequenceRules {
  readonly values = new Values();
  readonly logs = new LogNames();
  readonly sends = new SendTable(this.logs);
  readonly processes: Process[] = [];
  readonly sessions: string[] = [];
  /** Id to meta; 0 is "no meta". */
  readonly metas: Meta[] = [{}];
  nextIndex = 0;
  lastTimeNs = 0;
  opCount = 0;
  readonly #states = new Map<Process, ProcessState>();
  readonly #sessionIds = new Map<string, number>();
  readonly #sendRules: SendRules;

  /** @param keepMeta whether sends and records keep what is known besides their values; the recorder does not. */
  constructor(keepMeta: boolean) {
    this.#sendRules = new SendRules(this, keepMeta);
  }

  /** Takes one event of the right shape. @throws Problem, and nothing is changed, if it may not stand here. */
  accept(event: HistoryEvent): Step {
    if (event.index !== this.nextIndex) {
      throw new Problem('index', `expected ${this.nextIndex}, got ${event.index}`);
    }
    if (event.time < this.lastTimeNs) {
      throw new Problem('time', `${event.time} is earlier than ${this.lastTimeNs}, the one before`);
    }
    const state = this.#stateOf(event.process);
    const step = this.#dispatch(event, state);
    this.nextIndex++;
    this.lastTimeNs = event.time;
    return step;
  }

  #dispatch(event: HistoryEvent, state: ProcessState): Step {
    switch (event.type) {
      case 'event':
        return this.#observe(event, state);
      case 'invoke':
        return this.#invoke(event, state);
      case 'ok':
      case 'fail':
      case 'info':
        return this.#complete(event, event.type, state);
    }
  }

  #observe(event: HistoryEvent, state: ProcessState): Step {
    if (event.f === 'attempt') {
      const open = state.open;
      if (open === null) {
        throw new Problem('process', `${show(event.process)} has no open operation to attempt for`);
      }
      const { f } = open.invoked;
      if (f !== 'send' && f !== 'txn') {
        throw new Problem('f', `an attempt belongs to a send or txn, not to a "${f}"`);
      }
      this.#sendRules.record(event, open);
    }
    return {
      op: -1,
      kind: -1,
      status: opStatus.open,
      process: state.id,
      session: -1,
      invoked: null,
    };
  }

  #invoke(event: HistoryEvent, state: ProcessState): Step {
    if (state.open !== null) {
      const { f, index } = state.open.invoked;
      const which = `"${f}" of index ${index}`;
      throw new Problem(
        'process',
        `${show(event.process)} already has an open operation, ${which}`,
      );
    }
    if (state.spent) {
      throw new Problem('process', `${show(event.process)} ended in info and never acts again`);
    }
    const session = this.#sessionOf(event, state);
    const open = { op: this.opCount, invoked: event, session, sends: 0 };
    const kind = kindOf(event);
    if (kind === opKinds.send || kind === opKinds.txn) this.#sendRules.record(event, open);
    this.opCount++;
    state.open = open;
    return {
      op: open.op,
      kind,
      status: opStatus.open,
      process: state.id,
      session,
      invoked: null,
    };
  }

  #complete(event: HistoryEvent, type: 'ok' | 'fail' | 'info', state: ProcessState): Step {
    const open = state.open;
    if (open === null) {
      throw new Problem('process', `${show(event.process)} has no open operation to complete`);
    }
    const { invoked } = open;
    if (event.f !== invoked.f) {
      const which = `"${invoked.f}" of index ${invoked.index}`;
      throw new Problem('f', `"${event.f}" completes ${which}, another function`);
    }
    if (event.session !== undefined && event.session !== this.sessions[open.session]) {
      throw new Problem('session', `the operation was invoked in another session`);
    }
    const kind = kindOf(event);
    if (kind === opKinds.audit && type === 'ok') checkAuditPair(invoked, event);
    if (kind === opKinds.send || kind === opKinds.txn) this.#sendRules.complete(event, open);
    state.open = null;
    if (type === 'info' && !isNemesis(event.process)) state.spent = true;
    const status = statusOf[type];
    return { op: open.op, kind, status, process: state.id, session: open.session, invoked };
  }

  #stateOf(process: Process): ProcessState {
    const known = this.#states.get(process);
    if (known !== undefined) return known;
    const state = { id: this.processes.length, defaultSession: -1, open: null, spent: false };
    this.processes.push(process);
    this.#states.set(process, state);
    return state;
  }

  #sessionOf(event: HistoryEvent, state: ProcessState): number {
    if (event.session === undefined) {
      if (state.defaultSession === -1) {
        state.defaultSession = this.sessions.length;
        this.sessions.push(`process ${event.process}`);
      }
      return state.defaultSession;
    }
    const known = this.#sessionIds.get(event.session);
    if (known !== undefined) return known;
    const id = this.sessions.length;
    this.sessions.push(event.session);
    this.#sessionIds.set(event.session, id);
    return id;
  }
}

function kindOf(event: HistoryEvent): number {
  return typeof event.process === 'number' && isClientFunction(event.f)
    ? opKinds[event.f]
    : opKinds.other;
}

/** A chunk answers what was asked: the same log, view and start, and the same scan and replica where both name one. */
function checkAuditPair(invoked: HistoryEvent, completed: HistoryEvent): void {
  const asked = invoked.value as AuditInvoked;
  const read = completed.value as AuditCompleted;
  for (const field of ['log', 'view', 'from'] as const) {
    if (asked[field] !== read[field]) throw differs(field, asked[field], read[field]);
  }
  for (const field of ['scan', 'replica'] as const) {
    const [before, after] = [asked[field] ?? null, read[field] ?? null];
    if (before !== null && after !== null && before !== after) throw differs(field, before, after);
  }
  checkChunk(read);
}

function differs(field: string, asked: unknown, read: unknown): Problem {
  return new Problem(`value.${field}`, `${show(read)}, where the invocation says ${show(asked)}`);
}
