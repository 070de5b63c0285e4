import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { families, openVersions } from '../../src/state/families.ts'
import { Versions } from '../../src/state/machine/versions.ts'
import { CatalogStateMachine } from '../../src/replica/catalog-state-machine.ts'
import type { CatalogStateMachineParts } from '../../src/replica/catalog-state-machine.ts'
import type { Entry } from '../../src/raft/entry.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'
import { nodeDefinition, registerCommand } from '../helpers/catalog.ts'

/** Looks at the catalog on a connection of its own, as a dns thread does, whenever versions move. */
class Watched extends Versions {
  readonly #look: () => void

  constructor(look: () => void) {
    super(families.map(({ name }) => name))
    this.#look = look
  }

  override bump(subjects: ReadonlyMap<string, Iterable<string>>): void {
    super.bump(subjects)
    this.#look()
  }
}

function entry(index: number): Entry {
  const name = `n${index}`
  const body = registerCommand(name, { node: nodeDefinition(name, { id: name }) })
  const command = { version: 1, requestId: name, actor: 't', cause: 't', timeMs: index, body }
  return { index, term: 1, kind: 'command', data: Buffer.from(JSON.stringify(command)) }
}

/** Which nodes a reader finds after each bump. */
function seenAfterBumps(
  t: Test,
  make: (parts: CatalogStateMachineParts) => CatalogStateMachine,
): string[][] {
  const path = join(t.testdir(), 'state.db')
  const state = new StateWriter(path)
  const reader = new StateReader(path)
  t.teardown(() => {
    reader.close()
    state.close()
  })
  const seen: string[][] = []
  const versions = new Watched(() =>
    seen.push(
      reader.read((catalog) => ['n1', 'n2'].filter((name) => catalog.node(name) !== undefined)),
    ),
  )
  const nothing = (): void => {}
  const snapshotPath = (): string => ''
  const machine = make({ state, versions, snapshotPath, onApplied: nothing, onRestored: nothing })
  machine.apply([entry(1)])
  machine.apply([entry(2)])
  return seen
}

t.test('whoever sees a new version sees what it stands for: COMMIT, then bump', async (t) => {
  const seen = seenAfterBumps(t, (parts) => new CatalogStateMachine(parts))
  t.same(seen, [['n1'], ['n1', 'n2']])
})

t.test(
  'the versions tell the index that is applied: after a start, and with each batch',
  async (t) => {
    const path = join(t.testdir(), 'state.db')
    const nothing = (): void => {}
    const snapshotPath = (): string => ''
    const open = (): { versions: Versions; state: StateWriter; machine: CatalogStateMachine } => {
      const [versions, state] = [openVersions(), new StateWriter(path)]
      const parts = { state, versions, snapshotPath, onApplied: nothing, onRestored: nothing }
      return { versions, state, machine: new CatalogStateMachine(parts) }
    }
    const first = open()
    t.equal(first.versions.index, 0)
    first.machine.apply([entry(1), entry(2)])
    t.equal(first.versions.index, 2)
    first.machine.apply([{ index: 3, term: 1, kind: 'noop', data: Buffer.alloc(0) }])
    t.equal(first.versions.index, 3, 'of any entry, so that it is the same on all servers')
    first.state.close()
    const second = open()
    t.equal(second.versions.index, 3)
    second.state.close()
  },
)

t.test('a machine that bumps before the COMMIT is caught by that', async (t) => {
  const seen = seenAfterBumps(t, (parts) => {
    const { state, versions } = parts
    const early = {
      applyBatch: (entries: Parameters<StateWriter['applyBatch']>[0]) => {
        versions.bump(new Map([['catalog', entries.map(({ index }) => `node n${index}`)]]))
        return { ...state.applyBatch(entries), subjects: new Map<string, Set<string>>() }
      },
    }
    return new CatalogStateMachine({ ...parts, state: early as unknown as StateWriter })
  })
  t.not(seen[0]?.length, 1, 'the first bump comes before there is anything to see')
})
