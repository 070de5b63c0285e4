import { must } from '../../../src/base/assert.ts'
import type { RaftServer } from '../../../src/replica/raft-server.ts'
import type { Driver } from '../../../src/raft/driver.ts'
import type { RaftLog } from '../../../src/raft/log.ts'
import type { Message } from '../../../src/raft/message.ts'
import type { Raft } from '../../../src/raft/raft.ts'
import type { SimReplica } from '../replica.ts'
import type { Mutant, SimNode } from '../node.ts'

/** A rule of the core is replaced on one instance, from outside: the core has no switch for it. */
export function core(
  name: string,
  about: string,
  change: (raft: Raft, driver: Driver, node: SimNode) => void,
): Mutant {
  return {
    name,
    about,
    afterBoot: (node) => {
      const driver = must(node.driver)
      change(driver.raft, driver, node)
    },
  }
}

/** A rule of what stands around the core, in one process. */
export function process(
  name: string,
  about: string,
  onStart: (node: SimNode, replica: SimReplica) => void,
): Mutant {
  return { name, about, onStart }
}

export function server(name: string, about: string, beforeBoot: (node: SimNode) => void): Mutant {
  return { name, about, beforeBoot }
}

export function onDuty(replica: SimReplica, check: (server: RaftServer) => void): void {
  replica.checkDuties = () => {
    if (replica.raft?.isLeader === true) check(replica.raft)
  }
}

/** The driver sends what `isEarly` picks without waiting for the disk. */
export function sendEarly(driver: Driver, isEarly: (message: Message) => boolean): void {
  const process = driver.process.bind(driver)
  driver.process = (ready) => {
    const early = ready.messagesAfterWrite.filter(isEarly)
    const late = ready.messagesAfterWrite.filter((message) => !isEarly(message))
    process({ ...ready, messages: [...ready.messages, ...early], messagesAfterWrite: late })
  }
}

/** The log hands out what is committed up to `limit`, whether it is durable or not. */
export function applyUpTo(log: RaftLog, limit: () => number): void {
  log.takeCommitted = (maxBytes) => {
    const to = Math.min(log.commit, limit())
    if (log.isRestoring || to <= log.applied) return []
    return log.entries(log.applied + 1, to, maxBytes)
  }
}
