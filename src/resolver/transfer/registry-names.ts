import type { Caller } from '../../access/caller.ts'
import { everything } from '../../access/rights.ts'
import type { View } from '../../dns/view.ts'
import type { IpBytes } from '../../base/ip.ts'
import type { CatalogPages } from '../../state/catalog/pages.ts'
import { isTemplate } from '../../state/query/model.ts'
import type { QueryReader } from '../../state/query/reader.ts'
import type { RegistryNames } from '../../transfer/registry-zone.ts'

/** The names in the catalog that a caller may know. The view hides what is at the others. */
export function registryNames(
  pages: CatalogPages,
  queries: QueryReader,
  view: View,
  { rights }: Caller,
): RegistryNames {
  return {
    services: () => pages.serviceKeys(),
    nodes: () => pages.nodes(),
    *addresses() {
      for (const key of pages.addressKeys()) if (view.hasAddressBelow(key)) yield ipOf(key)
    },
    *queries() {
      for (const query of queries.queries()) {
        // Who knows the name of a query may use it. To be told its name needs a right of its own.
        const isSeen =
          query.name === '' ? rights === everything : rights.allows('query', query.name, 'read')
        if (isSeen && !isTemplate(query)) yield query
      }
    },
  }
}

/** The address of a key of `addressKey`. */
function ipOf(key: string): IpBytes {
  return new Uint8Array(Buffer.from(key.slice(1), 'hex'))
}
