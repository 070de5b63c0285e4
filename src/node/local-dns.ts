import type { LocalDns } from '../ports/dns.ts'
import type { DnsService } from '../resolver/service.ts'

/** The DNS server of this agent as a port of the API. */
export function localDns(dns: DnsService | undefined): LocalDns | undefined {
  const [endpoint] = dns?.endpoints ?? []
  if (dns === undefined || endpoint === undefined) return undefined
  const { address, port } = endpoint
  return {
    address: { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address,
    port,
    async ask(name, type) {
      // Loaded at the first question: most agents are never asked.
      const { askDirectly } = await import('../net/dns-client.ts')
      return askDirectly((query) => dns.respond(query), name, type)
    },
    traffic: () => dns.traffic(),
  }
}
