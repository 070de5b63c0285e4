import type { JSX } from 'preact'
import { visibleText } from '../../core/text.ts'
import { apiPath } from '../../data/api.ts'
import { useFetched } from '../../data/fetched.ts'
import { Copy } from '../../parts/copy.tsx'
import { Waiting } from '../../parts/note.tsx'
import { digText } from './dig-text.ts'
import type { DnsAnswer } from './dig-text.ts'

const types = ['A', 'AAAA', 'SRV'] as const

/** What this agent's DNS answers for the service now. `version` changes with the instances. */
export function DnsAnswers({
  service,
  version,
}: {
  readonly service: string
  readonly version: unknown
}): JSX.Element {
  return (
    <div class="stack">
      <p class="muted">What DNS answers now. Clients that cached an answer keep it for its TTL.</p>
      {types.map((type) => (
        <DnsAnswerOf key={type} service={service} type={type} version={version} />
      ))}
    </div>
  )
}

interface AnswerProps {
  readonly service: string
  readonly type: string
  readonly version: unknown
}

function DnsAnswerOf({ service, type, version }: AnswerProps): JSX.Element {
  const { data, fault } = useFetched<DnsAnswer>(apiPath('dns/service/', service, { type }), version)
  if (fault !== undefined) {
    return type === 'A' ? <p class="said">{visibleText(fault.message)}</p> : <></>
  }
  if (data === undefined) return <Waiting />
  const { Command } = data
  const text = visibleText(digText(data))
  return (
    <section class="answer" aria-label={`${type} records`}>
      <header>
        <span class="asked">
          <code>{visibleText(Command)}</code>
          <Copy text={Command} what="the dig command" />
        </span>
        <span class={data.Rcode === 'NOERROR' ? 'muted' : 'warning-text'}>
          {data.Rcode}
          {data.Rcode === 'NOERROR' && data.Answer.length === 0 ? ', no records of this type' : ''}
        </span>
        <Copy text={`${text}\n`} what="the answer" />
      </header>
      <pre tabIndex={0} aria-label={`Answer for ${type}`}>
        {text}
      </pre>
    </section>
  )
}
