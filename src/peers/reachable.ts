import { connect } from 'node:net'
import { dialAddress } from './address.ts'

/** Whether something accepts a connection at `address` (`host:port`) within `timeoutMs`. */
export function isReachable(address: string, timeoutMs: number): Promise<boolean> {
  const target = dialAddress(address)
  if (target === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: timeoutMs })
    const settle = (isThere: boolean): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', () => settle(false))
  })
}
