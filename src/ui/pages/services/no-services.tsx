import type { JSX } from 'preact'
import { parseQuery } from '../../core/query.ts'
import { pathTo } from '../../core/route.ts'
import { token } from '../../data/preferences.ts'
import { Command } from '../../parts/copy.tsx'
import { Empty } from '../../parts/note.tsx'

/** The first-run page. */
export function NoServices(): JSX.Element {
  return (
    <Empty title="No service is registered yet">
      <p>
        This page will show each service with its health. Register the first one on the machine of
        this agent. It appears here immediately:
      </p>
      <Command text="svcd register web --port 8080" />
      <p>Or over HTTP:</p>
      <Command
        text={`curl -X PUT ${window.location.origin}/v1/agent/service/register -d '{"Name": "web", "Port": 8080}'`}
      />
    </Empty>
  )
}

/** The token may read nothing. */
export function NothingVisible(): JSX.Element {
  const isAnonymous = token.value === ''
  return (
    <Empty
      title={
        isAnonymous ? 'Nothing is visible without a token' : 'This token may not read any service'
      }
    >
      <p>
        Access control is on. To see services, a token needs a policy with{' '}
        <code>service_prefix</code> and <code>node_prefix</code> rules that allow <code>read</code>.
      </p>
      <p>
        <a href={pathTo('settings')}>{isAnonymous ? 'Enter a token' : 'Change the token'}</a>
      </p>
    </Empty>
  )
}

/** Nothing fulfills the query. */
export function NothingFound({
  query,
  what,
}: {
  readonly query: string
  readonly what: string
}): JSX.Element {
  const { terms } = parseQuery(query)
  const word = terms.find(({ field }) => field === 'name')?.values[0]
  return (
    <Empty title={`No ${what} matches`}>
      <p>
        <code>{query}</code>
      </p>
      {word !== undefined && (
        <p>
          A word without a field is a part of the name. To search tags, write{' '}
          <code>tag:{word}</code>.
        </p>
      )}
      <p>
        <a href={pathTo(`${what}s`)}>Show all {what}s</a>
      </p>
    </Empty>
  )
}
