import type { JSX } from 'preact'
import type { TokenEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { may } from '../../data/rights.ts'
import { token } from '../../data/preferences.ts'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { Trail } from '../../parts/trail.tsx'
import { isOff, useAcl } from './access-data.ts'
import { GrantList } from './grant-list.tsx'
import { Rights } from './rights.tsx'
import { Expiry, titleOf } from './token-list.tsx'

/** What the token of this tab may do. Everybody may see this. */
export function OwnPage(): JSX.Element {
  const { data, fault } = useAcl<TokenEntry>('acl/token/self')
  if (isOff(fault)) return <Everything />
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const isReader = may('acl', 'read').isAllowed
  return (
    <>
      <header class="page-head">
        <Trail>
          <a href={pathTo('access')}>Access</a>
        </Trail>
        <h1>{token.value === '' ? 'What you may do without a token' : 'What you may do'}</h1>
        <p class="verdict">
          <span>
            Token: <Name text={titleOf(data)} />
          </span>
          <GrantList grants={data} max={6} />
          {data.ExpirationTime !== undefined && (
            <span>
              expires <Expiry time={data.ExpirationTime} />
            </span>
          )}
          <a href={pathTo('settings')}>
            {token.value === '' ? 'Enter a token' : 'Change the token'}
          </a>
        </p>
      </header>
      <Rights key={data.AccessorID} accessor={isReader ? data.AccessorID : undefined} />
    </>
  )
}

function Everything(): JSX.Element {
  return (
    <Empty isPage title="You may do everything">
      <p>Access control is off on this agent, so nobody needs a token.</p>
      <p>
        <a href={pathTo('access')}>How to turn it on</a>
      </p>
    </Empty>
  )
}
