import fc from 'fast-check'
import type { QueryCommand } from '../../../src/state/query/commands.ts'
import { queryDefinition, queryId, templateDefinition } from '../../helpers/queries.ts'

const id = fc.nat(3).map(queryId)
const name = fc.constantFrom('', 'a', 'A', 'ab', 'é')
const service = fc.constantFrom({}, { onlyPassing: true }, { tags: ['v1', '!v2'] })

const put = fc
  .record({
    id,
    mode: fc.constantFrom('create', 'update', 'any'),
    definition: fc.oneof(
      fc
        .record({ name, service })
        .map(({ name: of, service: what }) => queryDefinition({ name: of, service: what })),
      name.map((of) => templateDefinition(of)),
    ),
  })
  .map((rest): QueryCommand => ({ kind: 'query-put', ...rest }))

export const command: fc.Arbitrary<QueryCommand> = fc.oneof(
  put,
  id.map((of): QueryCommand => ({ kind: 'query-delete', id: of })),
)
