import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SvcdError } from '../base/errors.ts'
import type { Identity } from '../ports/identity.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { subject } from '../state/catalog/subjects.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { Config } from '../config/options.ts'
import type { DescriptorPlan } from '../net/connections/descriptor-plan.ts'
import { AgentStore } from '../storage/agent/store.ts'
import type { StateReader } from '../storage/state.ts'
import { Agent } from '../agent/agent.ts'
import { loadDefinitionFiles } from '../agent/files/files.ts'
import type { DefinitionFiles } from '../agent/files/document.ts'
import type { LimitedLines } from '../process/limited-lines.ts'
import { readCheckTls } from '../process/pem-files.ts'
import { probes, scriptRights } from '../agent/checks/probes.ts'
import type { Replica } from '../replica/replica.ts'
import type { ClusterStatus } from '../replica/messages.ts'

export interface OpenAgentParts {
  readonly config: Config
  readonly plan: Pick<DescriptorPlan, 'probes' | 'scripts'>
  readonly identity: Identity
  readonly directory: string
  readonly replica: Replica
  readonly state: StateReader
  readonly versions: Versions
  readonly clock: Clock
  readonly logger: Logger
  readonly lines: LimitedLines
  readonly onDeath: (error: Error) => void
}

/** The agent of a node, on its files. Throws what {@link AgentStore} and the options of checks do. */
export function openAgent(parts: OpenAgentParts): Agent {
  const { config, identity, directory, replica, state, versions, clock, logger, onDeath } = parts
  const nodeSlot = versions.of('catalog').slotOf(subject.node(identity.nodeName))
  const scripts = scriptRights(config.checks)
  const credentials = readCheckTls(config.checks)
  const onLost = (error: unknown): void =>
    onDeath(error instanceof Error ? error : new Error(String(error)))
  return new Agent({
    identity,
    store: new AgentStore(join(directory, 'agent.db'), { onLost }),
    propose: (body, origin) => replica.propose(body, origin),
    read: (query) => state.read(query),
    scripts,
    probeConcurrency: parts.plan.probes,
    scriptConcurrency: parts.plan.scripts,
    probe: probes({
      nodeName: identity.nodeName,
      read: (query) => state.read(query),
      credentials,
      scripts,
    }),
    lines: parts.lines,
    clock,
    random: Math.random,
    logger,
    memberIds: () => new Set(replica.status?.servers.map(({ id }) => id)),
    version: () => versions.of('catalog').applied,
    hasChangedSince: (version) => !versions.of('catalog').holds(nodeSlot, version),
  })
}

const damagedMs = 200
const damagedTriesMax = 50

/**
 * Starts the agent. It waits while the state is damaged: what a server has before another one's snapshot
 * arrives is empty, and nothing may be concluded from it. A read that meets damage of state.db has it checked
 * and rebuilt; the start waits for that, too, and reads again. At the stop signal, `hurry`, an agent that
 * still waits is stopped.
 */
export async function startAgent(
  agent: Pick<Agent, 'start' | 'stop'>,
  files: DefinitionFiles,
  replica: { readonly status: Pick<ClusterStatus, 'damage'> | undefined },
  hurry: AbortSignal,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    while (replica.status?.damage !== undefined) {
      if (hurry.aborted) return agent.stop()
      await sleep(damagedMs)
    }
    try {
      return await agent.start(files)
    } catch (error) {
      const isDamage = error instanceof SvcdError && error.code === 'state-damaged'
      if (!isDamage || tries >= damagedTriesMax) throw error
      await sleep(damagedMs)
    }
  }
}

/** What the files of a node define now. */
export function definitionsOf({ configFiles, configDirs }: Config): Promise<DefinitionFiles> {
  return loadDefinitionFiles([...configFiles, ...configDirs])
}
