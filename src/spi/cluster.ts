/**
 * A cluster under test and its fault ports. Only src/clusters/ knows how a node is started or hurt; a nemesis names the
 * ports that it needs, and asking for one that a cluster lacks is an error before anything starts.
 */
import type { Evidence } from '../history/event.ts';

/** The system's own number of a node, from 1. */
export type NodeId = number;

export type NodeSignal = 'SIGKILL' | 'SIGTERM';

/** Traffic that can be hurt on its own: of clients, of replication between brokers, of the controllers' quorum. */
export type Plane = 'client' | 'replication' | 'controller';
export const planes: readonly Plane[] = ['client', 'replication', 'controller'];

export interface NodeInfo {
  readonly id: NodeId;
  /** host:port of the client plane. */
  readonly clientAddress: string;
}

export interface ProcessState {
  readonly running: boolean;
  /** The freezer's own word, not our memory of what we asked for. */
  readonly frozen: boolean;
  /** 137 after SIGKILL; null while running. */
  readonly exitCode: number | null;
  /** How often this node's process was started. */
  readonly starts: number;
}

export interface ProcessPort {
  state(node: NodeId): Promise<ProcessState>;
  /** Resolves when the process is gone (SIGTERM: bounded, then an error). */
  kill(node: NodeId, signal: NodeSignal): Promise<void>;
  /** Starts a stopped node on its old data; does nothing to a running one. */
  start(node: NodeId): Promise<void>;
  pause(node: NodeId): Promise<void>;
  /** Thaws; does nothing to a node that is not frozen or not running. */
  resume(node: NodeId): Promise<void>;
}

/** Traffic to drop: packets on `plane` that arrive at `at` from `from`, or leave `at` towards `from`. */
export interface CutRule {
  readonly at: NodeId;
  /** Another node, or 'clients': whoever is no node. */
  readonly peer: NodeId | 'clients';
  readonly planes: readonly Plane[];
  /** Of packets as `at` sees them: 'in' arriving, 'out' leaving. */
  readonly directions: readonly ('in' | 'out')[];
}

export interface CutCounters {
  /** Packets dropped since the cut, in all and per node. */
  readonly packets: number;
  readonly byNode: Readonly<Record<string, { readonly in: number; readonly out: number }>>;
}

export interface Probe {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly plane: Plane;
  /** A TCP connection was made; false: refused or timed out (1 s). */
  readonly connected: boolean;
  readonly detail: string;
}

export interface NetworkPort {
  /** Applies all rules at once under the name `cut`; several cuts may stand side by side. */
  cut(cut: string, rules: readonly CutRule[]): Promise<void>;
  counters(cut: string): Promise<CutCounters>;
  /** Removes the rules of `cut`; does nothing if they are gone. Counters are lost. */
  heal(cut: string): Promise<void>;
  /** Names of cuts whose rules still stand, read from the nodes themselves. */
  standing(): Promise<readonly string[]>;
  /** Tries a TCP connection inside the network namespace of `from`. */
  probe(from: NodeId, to: NodeId, plane: Plane): Promise<Probe>;
}

export interface DiskPort {
  /** Takes from a stopped node what had not reached its disk, as a power loss does. Resolves with how many records went. */
  loseUnsynced(node: NodeId): Promise<{ readonly records: number }>;
}

/** A program of ours beside the cluster: a client in a process of its own, which a fault can freeze or kill. */
export interface Program {
  /** To its standard input. */
  write(text: string): void;
  /** SIGKILL; resolves when nothing of it is left. */
  kill(): Promise<void>;
}

export interface ProgramEvents {
  /** A line of its standard output. */
  readonly line: (line: string) => void;
  /** A line of its standard error. */
  readonly log: (line: string) => void;
  readonly ended: () => void;
}

export interface ProgramHost {
  /** Runs a script with the harness's own Node, on the network of the cluster. @param name unique within the run. */
  start(name: string, script: string, events: ProgramEvents): Promise<Program>;
}

/** Faults of clients that are processes of their own. */
export interface ClientPort {
  /** Names of those that run. */
  names(): readonly string[];
  /** The freezer's own word; null: it has ended. */
  state(name: string): Promise<{ readonly frozen: boolean } | null>;
  pause(name: string): Promise<void>;
  /** Thaws; does nothing to one that is not frozen or has ended. */
  resume(name: string): Promise<void>;
}

export interface PartitionView {
  readonly topic: string;
  readonly partition: number;
  /** -1: none. */
  readonly leader: NodeId;
  readonly leaderEpoch: number;
  readonly replicas: readonly NodeId[];
  readonly inSync: readonly NodeId[];
}

/** What one node says of the cluster; a cut or frozen node's picture is its own and may be old. */
export interface NodeView {
  readonly node: NodeId;
  /** Null: it did not answer; `error` says how. */
  readonly partitions: readonly PartitionView[] | null;
  readonly liveNodes: readonly NodeId[];
  readonly controller: { readonly node: NodeId; readonly epoch: number } | null;
  readonly error: string | null;
}

export interface TopicSpec {
  readonly name: string;
  /** Replica placement per partition, preferred leader first. */
  readonly replicas: readonly (readonly NodeId[])[];
  readonly config: Readonly<Record<string, string>>;
}

export interface Health {
  readonly healthy: boolean;
  /** What is missing, in words; empty when healthy. */
  readonly missing: readonly string[];
}

export interface AdminPort {
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Asks every node; nodes that do not answer in `timeoutMs` say null. */
  views(timeoutMs: number): Promise<readonly NodeView[]>;
  /** All nodes answer, agree on leader, epoch and in-sync set of every partition, and every in-sync set is full. */
  health(timeoutMs: number): Promise<Health>;
  /** Node that coordinates a group or a transactional id. */
  coordinator(kind: 'group' | 'transaction', key: string): Promise<NodeId>;
  /** Elects preferred leaders, or uncleanly, for these partitions. Resolves with an error word per partition that was not moved. */
  elect(
    kind: 'preferred' | 'unclean',
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly string[]>;
  /** Gives a log these replicas, the preferred leader first. Resolves with an error word, or null if it was accepted. */
  reassign(
    log: { readonly topic: string; readonly partition: number },
    replicas: readonly NodeId[],
  ): Promise<string | null>;
}

/** The disk of a node that is not running. */
export interface StoragePort {
  /** Deletes what a stopped node holds of one log. Resolves with how many bytes of records went. */
  wipe(
    node: NodeId,
    log: { readonly topic: string; readonly partition: number },
  ): Promise<{ readonly bytes: number }>;
}

export interface ClusterPorts {
  readonly process?: ProcessPort;
  readonly network?: NetworkPort;
  readonly disk?: DiskPort;
  readonly storage?: StoragePort;
  readonly admin?: AdminPort;
  readonly clients?: ClientPort;
}
export type PortName = keyof ClusterPorts;

/** The system under test as the header names it. */
export interface SystemInfo {
  readonly name: string;
  readonly version: string;
  /** Where the node software came from: reference and content id of the image, or 'simulated'. */
  readonly image?: string;
  readonly imageId?: string;
  /** How that image was found: given, official, pulled or built locally. */
  readonly imageSource?: string;
}

export interface Cluster extends AsyncDisposable {
  readonly kind: 'docker' | 'simulated' | 'external';
  readonly system: SystemInfo;
  readonly nodes: readonly NodeInfo[];
  readonly ports: ClusterPorts;
  /** Starts all nodes and waits until healthy, at most `timeoutMs`. `progress` gets one line per step. */
  start(timeoutMs: number, progress: (line: string) => void): Promise<void>;
  /** Undoes every fault that still stands, whatever put it there: thaws, heals, starts. Idempotent. */
  healAll(): Promise<Evidence>;
  /** Copies the log of each node into `directory` (node-1.log …). Works on dead and frozen nodes. */
  collectLogs(directory: string): Promise<void>;
  /** Removes all that the cluster put on the host. Idempotent; disposal does the same. */
  remove(): Promise<void>;
}
