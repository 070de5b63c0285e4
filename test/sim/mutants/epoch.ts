import type { Mutant } from '../node.ts'
import { process } from './kinds.ts'

/** Of what keeps servers that a recovery left behind from going on; caught by test/sim/recovery.ts. */
export const epoch: readonly Mutant[] = [
  process(
    'left-behind-goes-on',
    'a server that hears of a newer epoch stops',
    (_node, { fence, marks }) => {
      fence.learn = (newest) => marks.setNewestEpoch(newest)
    },
  ),
  process(
    'newer-epoch-forgotten',
    'what a server has heard of a newer epoch survives a restart',
    (_node, { marks }) => {
      let newest = 0
      marks.setNewestEpoch = (heard) => (newest = heard)
      Object.defineProperty(marks, 'newestEpoch', { get: () => newest })
    },
  ),
  process(
    'takes-part-before-it-asked',
    'a server takes no part before it has tried each member',
    (_node, { fence }) => {
      const begin = fence.begin.bind(fence)
      fence.begin = (raft) => {
        begin(raft)
        raft.takePart('epoch')
      }
    },
  ),
  process(
    'fence-open-at-start',
    'a server that was left behind is so from its start',
    (_node, { fence }) => {
      Object.defineProperty(fence, 'isFenced', { get: () => false })
    },
  ),
  process(
    'heard-but-not-told',
    'a server that was left behind tells the others',
    (_node, { marks, fence }) => {
      const learn = fence.learn.bind(fence)
      fence.learn = (newest) => {
        learn(newest)
        Object.defineProperty(marks, 'newestEpoch', { get: () => 0, configurable: true })
      }
    },
  ),
  process(
    'epoch-of-whoever-dials',
    'only a server that was dialled is believed',
    (_node, replica) => {
      replica.greetedBy = (claimed) => replica.fence.learn(claimed)
    },
  ),
]
