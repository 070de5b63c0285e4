import type { Client } from './client.ts'
import type { DnsTop } from './rows.ts'

/** What DNS clients ask the agent now. Fails as the functions of {@link Client} do. */
export async function readDnsTop(client: Client): Promise<DnsTop> {
  return JSON.parse(await client.text('GET', 'agent/dns/top')) as DnsTop
}
