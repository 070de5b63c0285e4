import { nameKey } from '../name.ts'
import type { Name } from '../name.ts'
import type { RecordData, ResourceRecord } from '../record.ts'

/** A string that is equal for two records of one name exactly when they are the same record. */
export function dataKey({ type, data }: ResourceRecord): string {
  return `${type}/${keyOf(data)}`
}

function keyOf(data: RecordData): string {
  switch (data.kind) {
    case 'ip':
      return Buffer.from(data.ip).toString('latin1')
    case 'name':
      return nameKey(data.name)
    case 'srv':
      return join(data.target, data.priority, data.weight, data.port)
    case 'mx':
      return join(data.exchange, data.preference)
    case 'soa': {
      const { primary, mailbox, serial, refresh, retry, expire, minimum } = data
      const numbers = [serial, refresh, retry, expire, minimum]
      return `${nameKey(primary)}/${join(mailbox, ...numbers)}`
    }
    case 'txt':
      return JSON.stringify(data.strings)
    case 'raw':
      return Buffer.from(data.bytes).toString('latin1')
  }
}

function join(name: Name, ...numbers: readonly number[]): string {
  return `${numbers.join(' ')} ${nameKey(name)}`
}
