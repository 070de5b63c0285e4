import type { LogLevel } from '../base/log.ts'

/** A reader of the log of an agent: it gets lines of `level` and of more severe levels. */
export interface LogFollower {
  readonly level: LogLevel
  /** One JSON object a line; default a line for people. */
  readonly json?: boolean
  /** A line with its end. Called within the call that logs; it must not log itself. */
  readonly write: (line: string) => void
}

/** The log of an agent, of all its threads. */
export interface NodeLog {
  /** The last lines, oldest first. */
  recent(): readonly string[]
  /** Every line from now on. Returns how to end it. */
  follow(follower: LogFollower): () => void
}

/** The log of a node for those who ask over the API. */
export interface FollowedLog {
  /** Lines of the log from now on, without secrets, whatever level the agent itself logs. Returns how to end it. */
  followLog(follower: LogFollower): () => void
}
