import fc from 'fast-check'
import type { KvCommand } from '../../../src/state/kv/commands.ts'
import { kvPut } from '../../helpers/kv.ts'

const key = fc.constantFrom('a', 'a/', 'a/b', 'b', 'é', '😀')
const flags = fc.constantFrom('0', '18446744073709551615')

export const command: fc.Arbitrary<KvCommand> = fc.oneof(
  fc
    .record({ key, value: fc.constantFrom('', 'v', 'w'), flags })
    .map(({ key: at, value, flags: of }) => kvPut(at, value, { flags: of })),
  key.map((at): KvCommand => ({ kind: 'kv-delete', key: at })),
  fc.constantFrom('a/', 'é').map((prefix): KvCommand => ({ kind: 'kv-delete-tree', prefix })),
)
