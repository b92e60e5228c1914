/** What the harness and a member's process say to each other: one JSON object per line. */
import type { LogName } from '../../history/event.ts';
import type { GroupOffsets, MemberIdentity, Outcome, RebalanceTold } from '../../spi/client.ts';
import type { NodeInfo } from '../../spi/cluster.ts';

export type MemberRequest =
  | {
      readonly do: 'create';
      readonly name: string;
      readonly group: string;
      readonly nodes: readonly NodeInfo[];
      readonly fromBeginning: boolean;
    }
  | { readonly do: 'subscribe'; readonly topics: readonly string[] }
  /** `heard`: how many rebalances the harness had been told by then. One that is behind gets nothing: its poll would span news. */
  | { readonly do: 'poll'; readonly heard: number }
  | { readonly do: 'close' }
  | { readonly do: 'commit'; readonly offsets: GroupOffsets }
  | { readonly do: 'committed'; readonly logs: readonly LogName[] };

/** The answer to the request `id`, or news of a rebalance; in the order of what happened. */
export type MemberAnswer =
  | { readonly id: number; readonly outcome: Outcome<unknown>; readonly identity: MemberIdentity }
  | { readonly id: number; readonly failed: string }
  | { readonly told: RebalanceTold; readonly identity: MemberIdentity };
