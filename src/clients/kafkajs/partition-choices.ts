/**
 * kafkajs asks its partitioner for the partition of every record, again in every attempt, and tells nobody what it said:
 * its answer names partitions, not records. Which record went where is known by listening here.
 */
import { Partitioners, type ICustomPartitioner, type Message } from 'kafkajs';

export class PartitionChoices {
  readonly #choices = new WeakMap<Message, number[]>();

  /** kafkajs's own default: the partition that a record names, else by its key, else in turn. */
  readonly partitioner: ICustomPartitioner = () => {
    const choose = Partitioners.DefaultPartitioner();
    return (args) => {
      const partition = choose(args);
      const before = this.#choices.get(args.message);
      if (before === undefined) this.#choices.set(args.message, [partition]);
      else before.push(partition);
      return partition;
    };
  };

  /** The partitions that were chosen for a record, attempt by attempt; empty if no request was made for it yet. */
  of(message: Message): readonly number[] {
    return this.#choices.get(message) ?? [];
  }
}
