import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { RightsRule, WhyEntry, WhyRule } from '../../../client/acl-rows.ts'
import { kinds, ruleText, unnamed } from '../../core/access.ts'
import { withParameters } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { Command } from '../../parts/copy.tsx'
import { Field, Select } from '../../parts/field.tsx'
import { Status } from '../../parts/mark.tsx'
import { useAcl } from './access-data.ts'

interface WhyProps {
  /** Undefined: the token of this tab. */
  readonly accessor: string | undefined
  readonly hrefOf: (rule: RightsRule) => string | undefined
}

const accesses = [
  ['read', 'read'],
  ['write', 'write'],
  ['list', 'list'],
  ['write-prefix', 'write all below'],
] as const

/** Whether a token may do one thing, and which rule decides. */
export function Why({ accessor, hrefOf }: WhyProps): JSX.Element {
  const [resource, setResource] = useState('service')
  const [access, setAccess] = useState('read')
  const [name, setName] = useState('')
  const isNamed = !unnamed.has(resource)
  const isKey = resource === 'key'
  const asked = isKey || access === 'read' ? access : 'write'
  const path = withParameters('acl/why', {
    accessor,
    resource,
    access: asked,
    name: isNamed ? name : undefined,
  })
  const isReady = !isNamed || name !== ''
  const { data, fault } = useAcl<WhyEntry>(isReady ? path : undefined)
  const isAnswer =
    data?.Resource === resource && data.Access === asked && data.Name === (isNamed ? name : '')
  return (
    <>
      <div class="question">
        <Select
          label="May it"
          value={asked}
          options={isKey ? accesses : accesses.slice(0, 2)}
          onChange={setAccess}
        />
        <Select
          label="What"
          value={resource}
          options={kinds.map(([id]) => [id, id])}
          onChange={setResource}
        />
        {isNamed && (
          <Field
            label={resource === 'session' || resource === 'agent' ? 'Of the node' : 'Name'}
            value={name}
            isMono
            placeholder={isKey ? 'shop/port' : 'web'}
            onChange={setName}
          />
        )}
      </div>
      <div class="answer-of" role="status">
        {fault !== undefined && <p class="said wrong">{visibleText(fault.message)}</p>}
        {!isReady && <p class="muted">Enter a name. The answer appears here.</p>}
        {isReady && data !== undefined && isAnswer && <Verdict why={data} hrefOf={hrefOf} />}
      </div>
    </>
  )
}

function Verdict({
  why,
  hrefOf,
}: {
  readonly why: WhyEntry
  readonly hrefOf: WhyProps['hrefOf']
}): JSX.Element {
  const { Allowed, DecidedBy, DefaultPolicy, Others, Missing, Resource, Access, Name } = why
  const what = `${Resource}:${Access}${Name === '' ? '' : ` on "${visibleText(Name)}"`}`
  const href = (rule: WhyRule): string | undefined =>
    hrefOf({ ...rule, Resource, Prefix: false, Name, Level: '' })
  return (
    <>
      <p>
        <Status health={Allowed ? 'passing' : 'critical'} text={Allowed ? 'Allowed' : 'Denied'} />{' '}
        {what}
      </p>
      {DecidedBy === null ? (
        <p class="muted">
          {Resource === 'acl'
            ? 'No rule covers it. The default policy never allows it.'
            : `No rule covers it, so the default policy decides: ${DefaultPolicy}.`}
        </p>
      ) : (
        <RuleLine title="Decided by" rule={DecidedBy} href={href(DecidedBy)} />
      )}
      {Others.map((rule) => (
        <RuleLine key={rule.Policy + rule.Line} title="Overruled" rule={rule} href={href(rule)} />
      ))}
      {Missing !== '' && (
        <>
          <p class="muted">To allow it, add this rule to a policy of the token:</p>
          <Command text={Missing} what="the rule" />
        </>
      )}
    </>
  )
}

interface RuleLineProps {
  readonly title: string
  readonly rule: WhyRule
  readonly href: string | undefined
}

function RuleLine({ title, rule, href }: RuleLineProps): JSX.Element {
  const from = ruleText(rule)
  return (
    <p class="rule-line">
      <span class="muted">{title}</span> <code>{visibleText(rule.Rule)}</code>{' '}
      {href === undefined ? <span class="muted">{from}</span> : <a href={href}>{from}</a>}
    </p>
  )
}
