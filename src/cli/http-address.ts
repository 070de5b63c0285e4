import { svcdError } from '../base/errors.ts'
import type { Io } from './io.ts'

/**
 * The base URL of the agent: -http-addr, SVCD_HTTP_ADDR, CONSUL_HTTP_ADDR or 127.0.0.1:8500. As with
 * Consul, an address may be `host:port`, `:port` or a URL; the default port is 8500. An address without
 * a scheme means HTTPS if SVCD_HTTP_SSL or CONSUL_HTTP_SSL is true.
 */
export function httpAddress(flag: string | undefined, env: Io['env']): string {
  const [from, text] = firstGiven([
    ['-http-addr', flag],
    ['SVCD_HTTP_ADDR', env['SVCD_HTTP_ADDR']],
    ['CONSUL_HTTP_ADDR', env['CONSUL_HTTP_ADDR']],
  ]) ?? ['the default', '127.0.0.1:8500']
  const url = parseAddress(text, isTrue('HTTP_SSL', env) === true ? 'https' : 'http')
  if (url === undefined) {
    throw svcdError('invalid-option', {
      option: from,
      reason: `"${text}" is not a valid address; use host:port or http://host:port`,
    })
  }
  return url
}

/** A variable of svcd, or else of Consul, without the prefix. Throws `invalid-option` unless it is true or false. */
export function isTrue(name: string, env: Io['env']): boolean | undefined {
  for (const full of [`SVCD_${name}`, `CONSUL_${name}`]) {
    const text = env[full]
    if (text === undefined || text === '') continue
    if (/^(?:1|t|true)$/i.test(text)) return true
    if (/^(?:0|f|false)$/i.test(text)) return false
    throw svcdError('invalid-option', { option: full, reason: `"${text}" is not true or false` })
  }
  return undefined
}

function parseAddress(text: string, scheme: 'http' | 'https'): string | undefined {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `${scheme}://${text.replace(/^:/, '127.0.0.1:')}`
  const hasPort = full !== text
  try {
    const url = new URL(full)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
    // The default port of a URL is 80, that of an address is 8500.
    if (hasPort && url.port === '' && !/:(?:80|443)\/?$/.test(full)) url.port = '8500'
    return url.href.replace(/\/$/, '')
  } catch {
    return undefined
  }
}

/** The DNS server: -dns-addr, SVCD_DNS_ADDR or this machine; the default port is that of the transport. */
export function dnsAddress(
  flag: string | undefined,
  env: Io['env'],
  defaultPort = 8600,
): { readonly address: string; readonly port: number } {
  const [from, text] = firstGiven([
    ['-dns-addr', flag],
    ['SVCD_DNS_ADDR', env['SVCD_DNS_ADDR']],
  ]) ?? ['the default', '127.0.0.1']
  const shape = /^(?:\[([0-9a-f:.]+)\]|([^:\s]*))(?::(\d{1,5}))?$/i.exec(text)
  const port = Number(shape?.[3] ?? defaultPort)
  if (shape === null || port < 1 || port > 65_535) {
    throw svcdError('invalid-option', {
      option: from,
      reason: `"${text}" is not a valid address; use ip:port or [ip6]:port`,
    })
  }
  return { address: shape[1] ?? (shape[2] || '127.0.0.1'), port }
}

type Candidate = readonly [from: string, text: string | undefined]

function firstGiven(candidates: readonly Candidate[]): readonly [string, string] | undefined {
  for (const [from, text] of candidates) {
    if (text !== undefined && text !== '') return [from, text]
  }
  return undefined
}
