import type { TrafficSample } from './traffic-window.ts'

// What the main thread and a thread that answers DNS say to each other about the queries that the thread has seen.

export type ToObserver =
  /** From now on one query of so many gets a line in the query log; 0: none. */
  | { readonly type: 'log-every'; readonly every: number }
  /** It answers with what its window has. */
  | { readonly type: 'traffic' }

export type FromObserver =
  | { readonly type: 'traffic-seen'; readonly sample: TrafficSample }
  /** Whole lines of the query log. */
  | { readonly type: 'query-lines'; readonly text: string }

/** What a thread needs to observe. */
export interface ObserverShare {
  /** See `LogBudget`. */
  readonly budget: SharedArrayBuffer
  readonly logEvery: number
}
