import type { NodeId } from '../../src/raft/entry.ts'

export function addressOf(id: NodeId): string {
  return `${id}:8300`
}

export function idAt(address: string): NodeId {
  return address.slice(0, -':8300'.length)
}
