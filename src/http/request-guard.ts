import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import { parseIpv6 } from '../base/ip.ts'

/** What tells a request of a web page from one of a program. */
export interface GuardedRequest {
  readonly method: string
  /** Of HTTP: `1.0`, `1.1`, `2.0`. */
  readonly version: string
  /** The field Host, or `:authority`. */
  readonly host: string | undefined
  readonly origin: string | undefined
  /** Sec-Fetch-Site, which browsers alone write (W3C Fetch Metadata §2.3). */
  readonly fetchSite: string | undefined
  /** False: pages of other origins may not even read here. Default: they may. */
  readonly isForPages?: (() => boolean) | undefined
}

/** RFC 9110 §9.2.1. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Spellings of Host that passed, so that the next request is one look-up. */
const knownMax = 256
const shownMax = 128

/**
 * Keeps the pages of web sites from using a browser on this machine, or in this network, as their
 * hand. A name that points here for a moment (DNS rebinding) makes a page of that name same-origin, so
 * the API answers under known names only. A page of another origin may send what needs no preflight,
 * so it may not write. Programs send neither Origin nor Sec-Fetch-Site.
 */
export class RequestGuard {
  readonly #names: ReadonlySet<string>
  readonly #suffixes: readonly string[]
  readonly #isOpen: boolean
  readonly #known = new Set<string>()

  /**
   * `allowed`: names beside IP addresses and `localhost`; `.example.com` and `*.example.com` are all
   * names below that one, `*` is any.
   */
  constructor(allowed: readonly string[]) {
    const names = allowed.map((name) => bare(name))
    this.#isOpen = names.includes('*')
    this.#names = new Set(names)
    this.#suffixes = names.flatMap((name) => /^\*?(\..+)$/.exec(name)?.[1] ?? [])
  }

  /** Why a request is refused (`host-not-allowed`, `cross-site`); undefined when it is not. */
  fault(request: GuardedRequest): SvcdError | undefined {
    if (!this.#answersAs(request)) {
      return svcdError('host-not-allowed', { host: shown(request.host ?? '') })
    }
    if (!isOfAnotherSite(request)) return undefined
    if (safeMethods.has(request.method) && request.isForPages?.() !== false) return undefined
    const origin = shown(request.origin ?? 'another site')
    return svcdError('cross-site', { method: request.method, origin })
  }

  #answersAs({ host, version }: GuardedRequest): boolean {
    if (this.#isOpen) return true
    // Only HTTP/1.0 has requests without one (RFC 9112 §3.2), and no browser speaks it.
    if (host === undefined) return version === '1.0'
    if (this.#known.has(host)) return true
    if (!this.#isAllowed(host)) return false
    if (this.#known.size < knownMax) this.#known.add(host)
    return true
  }

  #isAllowed(host: string): boolean {
    const [, address, name] = /^(?:\[([^\]]*)\]|([^:]+))(?::\d*)?$/.exec(host) ?? []
    // RFC 6874: a zone may follow the address.
    if (address !== undefined) return parseIpv6(address.replace(/%.*$/s, '')) !== undefined
    if (name === undefined) return false
    const label = bare(name)
    if (this.#names.has(label) || isAddress(label)) return true
    // RFC 6761 §6.3: these always mean this machine.
    if (label === 'localhost' || label.endsWith('.localhost')) return true
    return this.#suffixes.some((suffix) => label.endsWith(suffix) && label.length > suffix.length)
  }
}

/**
 * As Go's CrossOriginProtection decides: Sec-Fetch-Site where there is one, else whether the Origin's
 * host and port are those asked. Behind a proxy that rewrites Host the first still holds.
 */
function isOfAnotherSite({ host, origin, fetchSite }: GuardedRequest): boolean {
  if (fetchSite !== undefined) return fetchSite !== 'same-origin' && fetchSite !== 'none'
  if (origin === undefined) return false
  const [, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/]+)$/i.exec(origin) ?? []
  return authority === undefined || authority.toLowerCase() !== host?.toLowerCase()
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** A last label that is a number makes a host an IPv4 address (WHATWG URL, "ends in a number"). */
function isAddress(name: string): boolean {
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name)
}

function shown(text: string): string {
  return text.slice(0, shownMax)
}
