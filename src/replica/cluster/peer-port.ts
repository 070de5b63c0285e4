import { SvcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { PeerTransportOptions } from '../../peers/options.ts'
import { openPeerTransport } from '../../peers/transport.ts'
import type { PeerTransport } from '../../peers/transport.ts'
import type { ReplicaSettings } from '../messages.ts'

/** `-dev` runs beside any other agent: where the usual port is in use it takes a free one. */
export async function openPeerPort(
  { mayMovePort }: Pick<ReplicaSettings, 'mayMovePort'>,
  logger: Logger,
  options: PeerTransportOptions,
): Promise<PeerTransport> {
  try {
    return await openPeerTransport(options)
  } catch (error) {
    const isInUse = error instanceof SvcdError && error.code === 'port-in-use'
    if (mayMovePort !== true || !isInUse) throw error
    const { address, port: taken } = options.listen
    const transport = await openPeerTransport({ ...options, listen: { address, port: 0 } })
    const text = `port ${taken} is in use: this agent listens for servers on ${transport.address}`
    logger.info({ taken, port: transport.port }, text)
    return transport
  }
}
