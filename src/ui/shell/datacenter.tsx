import type { JSX } from 'preact'
import { visibleText } from '../core/text.ts'
import { useFetched } from '../data/fetched.ts'

/** The datacenter of the agent. */
export function Datacenter(): JSX.Element {
  const { data } = useFetched<readonly string[]>('catalog/datacenters')
  return <span class="datacenter">{visibleText(data?.[0] ?? '')}</span>
}
