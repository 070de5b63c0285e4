import t from 'tap'
import { catalogFamily } from '../../../src/state/catalog/family.ts'
import type { CatalogCommand } from '../../../src/state/catalog/commands.ts'
import {
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'
import { MemoryState } from '../../helpers/memory-state.ts'

function stateOf(...bodies: readonly CatalogCommand[]): MemoryState {
  const state = new MemoryState()
  for (const body of bodies) state.apply(body)
  return state
}

function restored(archived: MemoryState, present: MemoryState): MemoryState {
  const plan = catalogFamily.restore(archived.of(catalogFamily), present.of(catalogFamily), {
    memberIds: new Set(),
  })
  for (const bodies of plan) for (const body of bodies ?? []) present.apply(body)
  return present
}

t.test('a node that was not described yet is restored over one that is', async (t) => {
  const archived = stateOf(registerCommand('n1', { node: nodeDefinition('n1', { address: '' }) }))
  const present = stateOf(registerCommand('N1', { service: serviceDefinition('web') }))
  const reader = restored(archived, present).of(catalogFamily)
  t.match(reader.node('n1'), { name: 'n1', address: '' })
  t.strictSame(reader.servicesOfNode('n1'), [])
})

t.test('a check of the node that belonged to a service belongs to it again', async (t) => {
  const service = serviceDefinition('web')
  const ofService = checkDefinition('k', { serviceId: 'web' })
  const archived = stateOf(registerCommand('n1', { service, checks: [ofService] }))
  const present = stateOf(registerCommand('n1', { checks: [checkDefinition('k')] }))
  const reader = restored(archived, present).of(catalogFamily)
  t.match(reader.checksOfNode('n1'), [{ checkId: 'k', serviceId: 'web' }])
})
