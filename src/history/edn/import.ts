/**
 * Reads an EDN history: that of a Jepsen test with jepsen.tests.kafka, or one that Ordeal wrote (docs/edn.md). Pure: reading
 * files is load.ts.
 */
import { OrdealError } from '../../core/errors.ts';
import { ColumnsBuilder } from '../columns-builder.ts';
import type { History } from '../columns.ts';
import type { Header, HistoryEvent } from '../event.ts';
import { checkEvent } from '../event-shape.ts';
import { checkHeader, sealHeader } from '../header.ts';
import type { RawHistory } from '../load-text.ts';
import { Problem } from '../problem.ts';
import { FormSplitter } from './forms.ts';
import { jsonTwiceOf } from './json.ts';
import { LogKeys } from './log-keys.ts';
import { decodeOperation } from './operation.ts';
import { expected } from './print.ts';
import { JepsenSequence } from './sequence.ts';
import type { JepsenTest } from './store.ts';
import { mapIn, type Edn } from './values.ts';

/** What is known of a test of which only the history is at hand. */
const unknownTest: JepsenTest = { transactional: null, header: {}, warnings: [] };

/** The events of an EDN history. @throws OrdealError BAD_HISTORY. */
export function readEdnEvents(text: string | Uint8Array, sourceName: string): RawHistory {
  const events: HistoryEvent[] = [];
  const reader = new EdnHistoryReader(sourceName, { onEvent: (event) => events.push(event) });
  reader.push(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  const { header, warnings } = reader.finish();
  return { header, events, warnings };
}

export interface EdnReading {
  readonly test?: JepsenTest;
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** Takes the bytes of a history in chunks of any size. */
export class EdnHistoryReader {
  readonly #sourceName: string;
  readonly #test: JepsenTest;
  readonly #onEvent: ((event: HistoryEvent) => void) | null;
  readonly #builder = new ColumnsBuilder();
  readonly #forms: FormSplitter;
  readonly #keys = new LogKeys();
  readonly #sequence: JepsenSequence;
  readonly #warnings: string[] = [];
  /** Of a file that Ordeal wrote. */
  #header: Header | null = null;
  #operations = 0;
  #events = 0;
  #lastTimeNs = 0;
  /** The line of the operation at hand, or null while the text itself is read. */
  #line: number | null = null;

  constructor(sourceName: string, { test = unknownTest, onEvent }: EdnReading = {}) {
    this.#sourceName = sourceName;
    this.#test = test;
    this.#onEvent = onEvent ?? null;
    this.#sequence = new JepsenSequence(test.transactional);
    this.#warnings.push(...test.warnings);
    this.#forms = new FormSplitter({
      form: (form, line) => {
        this.#line = line;
        this.#take(form, line);
        this.#line = null;
      },
      cut: (line) => {
        if (this.#operations === 0) return;
        this.warn(`the file ends within the operation or vector of line ${line}: it was cut`);
      },
    });
  }

  /** @throws OrdealError BAD_HISTORY. */
  push(chunk: Uint8Array): void {
    this.#naming(() => {
      this.#forms.push(chunk);
    });
  }

  warn(warning: string): void {
    this.#warnings.push(warning);
  }

  /** Call once, after the last push. @throws OrdealError BAD_HISTORY. */
  finish(): History {
    return this.#naming(() => {
      this.#forms.end();
      if (this.#operations === 0) {
        throw new Problem('', 'the file holds no whole operation; nothing can be read from it');
      }
      const add = this.#add.bind(this);
      if (this.#header === null) {
        const onLine = (line: number): void => {
          this.#line = line;
        };
        this.#warnings.push(...this.#sequence.finish(add, onLine));
      }
      return this.#builder.finish(this.#header ?? this.#testHeader(), this.#warnings);
    });
  }

  #take(form: Edn, line: number): void {
    const operation = mapIn(form);
    if (operation === null) throw expected('', 'an operation, a map', form);
    const isFirst = this.#operations++ === 0;
    const logs = operation.get('ordeal/logs');
    if (logs !== undefined) this.#keys.addEdn(logs, 'ordeal/logs');
    const header = operation.get('ordeal/header');
    if (header !== undefined) {
      if (!isFirst) throw new Problem('ordeal/header', 'only the first operation may have it');
      this.#header = headerOf(header);
    }
    // An empty history has a header all the same.
    if (operation.get('ordeal/empty') === true) return;
    const decoded = decodeOperation(operation, this.#keys);
    if (this.#header === null) {
      this.#sequence.add(decoded, line);
      return;
    }
    const { event, judged, hasIndex, hasTime } = decoded;
    const index = hasIndex ? event.index : this.#events;
    const time = hasTime ? event.time : this.#lastTimeNs;
    const place = { index, time };
    Object.assign(event, place);
    this.#add(event, judged === null ? event : { ...judged, ...place }, line);
  }

  #add(event: HistoryEvent, judged: HistoryEvent, line: number): void {
    this.#line = line;
    checkEvent(judged);
    this.#builder.add(event);
    this.#onEvent?.(event);
    this.#events++;
    this.#lastTimeNs = event.time;
    this.#line = null;
  }

  #testHeader(): Header {
    const { transactional } = this.#sequence;
    const { jepsen, ...known } = this.#test.header as { readonly jepsen?: object };
    return sealHeader({ ordeal: 1, ...known, jepsen: { ...jepsen, transactional } });
  }

  #naming<T>(read: () => T): T {
    try {
      return read();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      throw new OrdealError(
        'BAD_HISTORY',
        `${this.#sourceName}:${this.#line ?? this.#forms.lineNumber}: ${problem.text}`,
        'name the history.edn of a jepsen.tests.kafka test, or correct that operation; docs/edn.md has the rules',
      );
    }
  }
}

function headerOf(edn: Edn): Header {
  const { kept, judged } = jsonTwiceOf(edn, 'ordeal/header');
  checkHeader(judged);
  return sealHeader(kept);
}
