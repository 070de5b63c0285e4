import { redactText } from '../config/redact.ts'
import type { FollowedLog, NodeLog } from '../ports/log.ts'

/** The log of a node for people elsewhere: without secrets. */
export function followedLog(log: NodeLog): FollowedLog {
  return {
    followLog: ({ level, json = false, write }) =>
      log.follow({ level, json, write: (line) => write(redactText(line)) }),
  }
}
