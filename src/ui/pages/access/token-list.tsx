import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { TokenEntry } from '../../../client/acl-rows.ts'
import { anonymousId, expiryText } from '../../core/access.ts'
import { pathTo } from '../../core/route.ts'
import { parseSort, sorted } from '../../core/sort.ts'
import type { SortKey } from '../../core/sort.ts'
import { counted } from '../../core/text.ts'
import { exactText } from '../../core/time-text.ts'
import { nowMs } from '../../data/clock.ts'
import { parameters } from '../../data/location.ts'
import { isUtc } from '../../data/preferences.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Name } from '../../parts/name.tsx'
import { Fault, Waiting } from '../../parts/note.tsx'
import { useAcl } from './access-data.ts'
import { GrantList, grantTexts } from './grant-list.tsx'
import { filterText, isFound, ListBar } from './list-bar.tsx'

/** All tokens, the anonymous one first. */
export function TokenList(): JSX.Element {
  const { data, fault } = useAcl<readonly TokenEntry[]>('acl/tokens')
  const sort = parseSort(parameters.value.get('sort') ?? '', {
    column: 'name',
    isDescending: false,
  })
  const filter = filterText()
  const rows = useMemo(() => {
    const found = (data ?? []).filter((each) =>
      isFound(each.AccessorID, each.Description, ...grantTexts(each)),
    )
    return sorted(found, keys[sort.column] ?? nameKey, sort.isDescending)
  }, [data, filter, sort.column, sort.isDescending])
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  return (
    <>
      <ListBar
        label="Filter by description, ID or policy"
        count={
          rows.length === data.length
            ? counted(data.length, 'token')
            : `${rows.length} of ${counted(data.length, 'token')}`
        }
        href={pathTo('access', 'tokens', 'new')}
        create="Create token"
      />
      {rows.length > 0 ? (
        <Grid
          label="Tokens"
          columns={columns}
          rows={rows}
          keyOf={keyOf}
          hrefOf={hrefOf}
          sort={sort}
        />
      ) : (
        <p class="waiting">No token contains “{filter}”.</p>
      )}
    </>
  )
}

function keyOf({ AccessorID }: TokenEntry): string {
  return AccessorID
}

function hrefOf({ AccessorID }: TokenEntry): string {
  return pathTo('access', 'tokens', AccessorID)
}

/** What a token is called. */
export function titleOf({ AccessorID, Description }: TokenEntry): string {
  return Description === '' ? AccessorID.slice(0, 8) : Description
}

const nameKey = (token: TokenEntry): SortKey =>
  token.AccessorID === anonymousId ? '' : titleOf(token).toLowerCase()

const keys: Readonly<Record<string, (token: TokenEntry) => SortKey>> = {
  name: nameKey,
  expires: ({ ExpirationTime }) =>
    ExpirationTime === undefined ? Number.MAX_VALUE : Date.parse(ExpirationTime),
  created: ({ CreateTime }) => Date.parse(CreateTime ?? ''),
}

const columns: readonly Column<TokenEntry>[] = [
  {
    id: 'name',
    title: 'Description',
    width: 'minmax(160px, 2fr)',
    isSortable: true,
    cell: (token) => <Name text={titleOf(token)} href={hrefOf(token)} />,
  },
  {
    id: 'grants',
    title: 'May do what these allow',
    width: 'minmax(180px, 3fr)',
    place: 'second-line',
    cell: (token) => <GrantList grants={token} max={3} />,
  },
  {
    id: 'expires',
    title: 'Expires',
    width: '84px',
    isSortable: true,
    cell: ({ ExpirationTime }) => <Expiry time={ExpirationTime} />,
  },
  {
    id: 'accessor',
    title: 'Accessor ID',
    width: '290px',
    place: 'wide',
    cell: ({ AccessorID }) => <Name text={AccessorID} />,
  },
]

/** When a token ends; the exact time on hover. */
export function Expiry({ time }: { readonly time: string | undefined }): JSX.Element {
  const text = expiryText(time, nowMs.value)
  if (time === undefined) return <span class="muted">{text}</span>
  return <time title={exactText(Date.parse(time), isUtc.value)}>{text}</time>
}
