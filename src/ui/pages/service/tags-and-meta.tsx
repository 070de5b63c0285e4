import type { JSX } from 'preact'
import type { HealthEntry } from '../../../client/rows.ts'
import { quoted } from '../../core/query.ts'
import { pathTo, withParameters } from '../../core/route.ts'
import { counted, visibleText } from '../../core/text.ts'
import { Tag } from '../../parts/tag.tsx'

/** Which tags and metadata the instances have, and how many of them. */
export function TagsAndMeta({
  entries,
}: {
  readonly entries: readonly HealthEntry[]
}): JSX.Element {
  const tags = tally(entries.flatMap(({ Service }) => Service.Tags))
  const pairs = tally(
    entries.flatMap(({ Service }) =>
      Object.entries(Service.Meta).map((pair) => pair.join('\u0000')),
    ),
  )
  return (
    <div class="columns">
      <section>
        <h2>Tags</h2>
        {tags.length === 0 && <p class="muted">No instance has a tag.</p>}
        <ul class="tally">
          {tags.map(([tag, count]) => (
            <li key={tag}>
              <Tag tag={tag} /> <span class="muted">{counted(count, 'instance')}</span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>Metadata</h2>
        {pairs.length === 0 && <p class="muted">No instance has metadata.</p>}
        <ul class="tally">
          {pairs.map(([pair, count]) => (
            <MetaLine key={pair} pair={pair} count={count} />
          ))}
        </ul>
      </section>
    </div>
  )
}

function MetaLine({ pair, count }: { readonly pair: string; readonly count: number }): JSX.Element {
  const [key = '', value = ''] = pair.split('\u0000')
  const q = `meta.${key}:${quoted(value)}`
  return (
    <li>
      <a class="name" href={withParameters(pathTo('services'), { q })}>
        <bdi>
          {visibleText(key)} = {visibleText(value)}
        </bdi>
      </a>{' '}
      <span class="muted">{counted(count, 'instance')}</span>
    </li>
  )
}

/** How often each text is there, the most frequent first. */
function tally(texts: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}
