import type { ComponentChildren, JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { isTokenLost, token } from '../../data/preferences.ts'
import { accessControl, may } from '../../data/rights.ts'
import { Command } from '../../parts/copy.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { TokenEntry } from '../../parts/token-entry.tsx'
import { isOff, useStatus } from './access-data.ts'

/** Shows a page only if access control is on and the token may read it; otherwise what is missing. */
export function Gate({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { data: status, fault } = useStatus()
  const read = may('acl', 'read')
  // A page stays open when the token changes: it may hold a form.
  const wasOpen = useRef(false)
  if (wasOpen.current) return <>{children}</>
  if (isOff(fault)) return <Off />
  const isLost = isTokenLost.value
  if (fault !== undefined && !isLost) return <Fault fault={fault} />
  if (status?.Bootstrapped === false) return <NoBootstrap />
  if (read.isAllowed && accessControl.value === 'on') {
    wasOpen.current = true
    return <>{children}</>
  }
  return /needs|lacks/.test(read.reason) || isLost ? <NoRight reason={read.reason} /> : <Waiting />
}

const config = `{ "acl": { "enabled": true, "default_policy": "allow" } }`

function Off(): JSX.Element {
  return (
    <Empty isPage title="Access control is off">
      <p>
        Anyone who reaches this agent may read and change everything. With access control, each
        program and person has a token, and policies say what it may do.
      </p>
      <p>To turn it on, add this to the configuration file of every server:</p>
      <Command text={config} what="the setting" />
      <p>
        Then apply it on every server. Nothing needs a restart, and nothing is denied yet, because
        the default policy is <code>allow</code>:
      </p>
      <Command text="svcd reload" />
      <p>
        This page shows the next step as soon as it is on. The page “Lock down a running cluster” of
        the documentation explains all of them.
      </p>
    </Empty>
  )
}

function NoBootstrap(): JSX.Element {
  return (
    <Empty isPage title="Create the first token">
      <p>
        Access control is on, but no token exists yet. Run this command once, on the machine of any
        agent. It prints the secret of a token that may do everything:
      </p>
      <Command text="svcd acl bootstrap" />
      <p>Keep the secret in a safe place. Enter it here to manage tokens in this tab:</p>
      <TokenEntry label="SecretID" />
    </Empty>
  )
}

function NoRight({ reason }: { readonly reason: string }): JSX.Element {
  return (
    <Empty
      isPage
      title={token.value === '' ? 'This needs a token' : 'The token does not allow this'}
    >
      <p class="said">
        {visibleText(reason)} Without this right you cannot see tokens, policies and roles.
      </p>
      <TokenEntry label="Secret of another token" />
      <p>
        <a href={pathTo('access', 'own')}>
          {token.value === '' ? 'What may you do without a token?' : 'What may this token do?'}
        </a>
      </p>
    </Empty>
  )
}
