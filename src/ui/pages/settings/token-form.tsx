import type { JSX } from 'preact'
import type { AclLink, TokenEntry as OwnToken } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { useFetched } from '../../data/fetched.ts'
import { isTokenLost } from '../../data/preferences.ts'
import { FactList } from '../../parts/facts.tsx'
import { Status } from '../../parts/mark.tsx'
import { TokenEntry } from '../../parts/token-entry.tsx'

/** Whose rights the UI has. */
export function TokenForm(): JSX.Element {
  const { data, fault } = useFetched<OwnToken>('acl/token/self')
  const isOff = fault?.status === 401
  return (
    <section class="token">
      <h2>Token</h2>
      {isOff ? (
        <p>Access control is off on this agent, so the UI needs no token.</p>
      ) : (
        <>
          <p>
            The UI may do what the policies of this token allow. Without one it has the rights of
            the anonymous token.
          </p>
          <TokenEntry />
        </>
      )}
      {isTokenLost.value && (
        <p class="said" role="alert">
          <Status
            health="critical"
            text="ACL not found: this token does not exist, or it has expired. Enter another one."
          />
        </p>
      )}
      {fault !== undefined && !isOff && !isTokenLost.value && (
        <p class="said" role="alert">
          <Status health="critical" text={visibleText(fault.message)} />
        </p>
      )}
      {data !== undefined && !isOff && !isTokenLost.value && <Rights own={data} />}
    </section>
  )
}

function Rights({ own }: { readonly own: OwnToken }): JSX.Element {
  return (
    <FactList
      rows={[
        [
          'In use',
          own.Description === ''
            ? own.AccessorID
            : `${visibleText(own.Description)} (${own.AccessorID})`,
        ],
        ['Policies', names(own.Policies)],
        ['Roles', names(own.Roles)],
        ['Rights', <a href={pathTo('access', 'own')}>What may this token see?</a>],
      ]}
    />
  )
}

function names(linked: readonly AclLink[] | null | undefined): string {
  return (linked ?? []).map(({ Name = '' }) => visibleText(Name)).join(', ') || 'none'
}
