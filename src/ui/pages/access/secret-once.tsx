import type { JSX } from 'preact'
import type { TokenEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { Command } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Name } from '../../parts/name.tsx'
import { GrantList } from './grant-list.tsx'
import { Expiry, titleOf } from './token-list.tsx'
import { Head } from './trail.tsx'

/** A token that was created just now. This page alone shows its secret. */
export function SecretOnce({ token }: { readonly token: TokenEntry }): JSX.Element {
  const { SecretID = '', AccessorID, ExpirationTime } = token
  return (
    <>
      <Head tab="tokens" title="The token is created" />
      <div class="form wide">
        <section class="spaced">
          <h2>Copy its secret now</h2>
          <p class="muted">This page shows it once, and svcd stores only its hash.</p>
          <div class="secret">
            <Command text={SecretID} what="the secret" />
          </div>
        </section>
        <section class="spaced">
          <h2>Use it</h2>
          <p class="muted">
            Programs and commands read it from this variable, or send it in the header
            X-Consul-Token:
          </p>
          <Command text={`export CONSUL_HTTP_TOKEN=${SecretID}`} />
        </section>
        <FactList
          rows={[
            ['Description', <Name text={titleOf(token)} />],
            ['Accessor ID', <Name text={AccessorID} />],
            ['Grants', <GrantList grants={token} />],
            ['Expires', <Expiry time={ExpirationTime} />],
          ]}
        />
        <div class="buttons">
          <a class="button" href={pathTo('access', 'tokens', AccessorID)}>
            I have copied the secret
          </a>
        </div>
      </div>
    </>
  )
}
