import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { startAgent } from '../../src/node/open-agent.ts'
import { AgentRig } from '../helpers/agent-rig.ts'

const files = { services: [], checks: [], options: [], findings: [], serviceIds: [] }

/** What a server says of its state, one word each time that it is asked. */
function replicaThat(...damages: (string | undefined)[]) {
  return {
    get status() {
      return { damage: damages.shift() }
    },
  }
}

/** An agent, and what is asked of it. */
function asked(failures: readonly Error[] = []) {
  const calls: string[] = []
  const left = [...failures]
  const start = async (): Promise<void> => {
    calls.push('start')
    const failure = left.shift()
    if (failure !== undefined) throw failure
  }
  const stop = async (): Promise<void> => void calls.push('stop')
  return { calls, start, stop }
}

const never = new AbortController().signal

t.test('an agent starts only once the state is whole', async (t) => {
  const agent = asked()
  const remaining = ['damaged', 'damaged', undefined]
  const replica = {
    get status() {
      t.strictSame(agent.calls, [])
      return { damage: remaining.shift() }
    },
  }
  await startAgent(agent, files, replica, never)
  t.strictSame(agent.calls, ['start'])
  t.strictSame(remaining, [])
})

t.test('a read that meets damage has the agent start again', async (t) => {
  const agent = asked([svcdError('state-damaged', { reason: 'a page' })])
  await startAgent(agent, files, replicaThat(undefined, 'damaged', undefined), never)
  t.strictSame(agent.calls, ['start', 'start'])
})

t.test('a stop ends the wait, and the agent compares nothing', async (t) => {
  const agent = asked()
  const hurry = new AbortController()
  const starting = startAgent(agent, files, { status: { damage: 'damaged' } }, hurry.signal)
  hurry.abort()
  await starting
  t.strictSame(agent.calls, ['stop'])
})

t.test('an agent that is stopped before it was started has nothing to register', async (t) => {
  const rig = AgentRig.opened(t)
  await startAgent(rig.agent, files, { status: { damage: 'damaged' } }, AbortSignal.abort())
  await rig.agent.registered
  rig.agent.onLeaderFound()
  t.strictSame(rig.takeProposed(), [])
})
