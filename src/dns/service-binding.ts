import { bindingMetaOf, isHttpProtocol } from '../base/service-binding-meta.ts'
import { name, string, u16 } from './octets.ts'
import { readName } from './name.ts'
import { recordType } from './record.ts'
import { serviceParameter } from './service-parameter.ts'
import type { BindingMeta } from '../base/service-binding-meta.ts'
import type { IpBytes } from '../base/ip.ts'
import type { Name } from './name.ts'
import type { RecordData } from './record.ts'
import type { Addresses, Endpoint } from './view.ts'

/** The priority of an instance that clients are to use last. */
const lastPriority = 65_535

/**
 * The data of the SVCB or HTTPS record of an instance. An HTTPS record makes clients use HTTPS instead of
 * HTTP (RFC 9460 §9.5). Therefore only instances that say that they speak it have one: undefined for others.
 */
export function bindingData(
  type: number,
  endpoint: Endpoint,
  target: Name,
  host: Addresses,
): RecordData | undefined {
  const meta = bindingMetaOf(endpoint.meta ?? {})
  if (type === recordType.HTTPS && !meta.alpn.some(isHttpProtocol)) return undefined
  const priority = endpoint.weight === 0 ? lastPriority : meta.priority
  const parameters = parametersOf(endpoint.port, host, meta)
  // RFC 9460 §2.2: the target is not compressed, and the parameters are in the order of their keys.
  const octets = u16(priority) + name(target) + parameters.map(parameter).join('')
  return { kind: 'raw', bytes: Buffer.from(octets, 'latin1') }
}

/** The target of an SVCB or HTTPS record; undefined if it is the owner itself. */
export function bindingTarget(bytes: Uint8Array): Name | undefined {
  const target = readName(bytes, 2, bytes.length)?.name
  return target?.length === 0 ? undefined : target
}

type Parameter = readonly [key: number, value: string]

function parameter([key, value]: Parameter): string {
  return u16(key) + u16(value.length) + value
}

/** Without a port, clients use the one of their protocol. */
function parametersOf(port: number, host: Addresses, meta: BindingMeta): readonly Parameter[] {
  const { alpn, ech, dohPath } = meta
  const found: Parameter[] = []
  const add = (key: keyof typeof serviceParameter, value: string): void => {
    found.push([serviceParameter[key], value])
  }
  if (alpn.length > 0) add('alpn', alpn.map(string).join(''))
  if (alpn.length > 0 && !meta.hasDefaultAlpn) add('no-default-alpn', '')
  if (port !== 0) add('port', u16(port))
  if (host.v4 !== undefined) add('ipv4hint', octetsOf(host.v4))
  if (ech !== undefined) add('ech', octetsOf(ech))
  if (host.v6 !== undefined) add('ipv6hint', octetsOf(host.v6))
  if (dohPath !== undefined) add('dohpath', dohPath)
  return found
}

function octetsOf(bytes: IpBytes): string {
  return Buffer.from(bytes).toString('latin1')
}
