/** What defects need to show: settings that are their own, whatever was decided otherwise. Pure. */
import type { ProducerSettings } from '../spi/client.ts';
import type { Defect } from '../spi/simulation.ts';
import type { SendStyle } from '../spi/workload.ts';
import type { ScenarioSettings } from './scenarios/index.ts';

export type Needs = Defect['needs'];

/** Of several defects at once; where two contradict each other the later one wins. */
export function needsOf(defects: readonly Defect[]): Needs {
  const all = defects.map(({ needs }) => needs);
  return {
    ...all.reduce((merged, needs) => ({ ...merged, ...needs }), {}),
    nemeses: [...new Set(all.flatMap((needs) => needs.nemeses ?? []))],
    sends: all.reduce<Partial<SendStyle>>((merged, { sends }) => ({ ...merged, ...sends }), {}),
  };
}

/** The settings with those that are needed in their place. */
export function withNeeds(settings: ScenarioSettings, needs: Needs): ScenarioSettings {
  const { producer, topicConfig } = settings;
  const sends = { ...settings.sends, ...needs.sends };
  const acks = needs.acks ?? producer.acks;
  const needed: ProducerSettings = {
    ...producer,
    acks,
    // Kafka's producers refuse idempotence with any other acks.
    idempotent: acks === 'all' && (needs.idempotent ?? producer.idempotent),
    requestTimeoutMs: needs.requestTimeoutMs ?? producer.requestTimeoutMs,
    retriesMax: needs.retriesMax ?? producer.retriesMax,
  };
  const { minInSync } = needs;
  if (minInSync === undefined) return { producer: needed, topicConfig, sends };
  return {
    producer: needed,
    topicConfig: { ...topicConfig, 'min.insync.replicas': String(minInSync) },
    sends,
  };
}
