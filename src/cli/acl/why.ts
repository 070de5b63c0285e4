import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { WhyEntry, WhyRule } from '../../client/acl-rows.ts'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import { aclClient, addAclOptions, printOne } from './acl-options.ts'
import type { AclOptions } from './acl-options.ts'
import { tokenIdOf } from './token-write.ts'

export function aclWhyCommand(io: Io): Command {
  const command = newCommand(
    'acl why',
    'Show whether a token may do something, which rule decides, and which rule is missing.',
    io,
  )
    .argument(
      '<token>',
      'An accessor ID or its first characters; self for the token that this command sends; or anonymous.',
    )
    .argument(
      '<permission>',
      'What to do, as in an error text: RESOURCE:ACCESS, such as service:write or key:list.',
    )
    .argument('[name]', 'The name of the service, node or key. (default: empty)')
    .action(
      async (token: string, permission: string, name: string | undefined, options: AclOptions) => {
        const [, resource = '', access = ''] = /^([a-z]+):([a-z-]+)$/.exec(permission) ?? []
        if (resource === '') {
          const reason = 'Write the permission as RESOURCE:ACCESS, such as service:write.'
          throw svcdError('usage', { reason })
        }
        const client = await aclClient(options, io)
        const accessor = token === 'self' ? undefined : await tokenIdOf(client, { id: token })
        const why = await client.why({ accessor, resource, access, name: name ?? '' })
        const answer = why.Allowed ? 'allowed' : 'denied'
        await printOne(io, options, { data: why, name: answer, text: whyText(why) })
      },
    )
  addAclOptions(command)
  return addExamples(command, [
    'svcd acl why 986193b5 service:write web',
    'svcd acl why anonymous node:read n1',
    'svcd acl why self key:write config/db/port',
  ])
}

/** The answer for people. */
export function whyText(why: WhyEntry): string {
  const { Allowed, AccessorID, Description, Resource, Access, Name, Others } = why
  const asked = `${Resource}:${Access}${Name === '' ? '' : ` on ${JSON.stringify(Name)}`}`
  const parts = [
    `${Allowed ? 'Allowed' : 'Denied'}: ${asked}`,
    `Token: ${AccessorID}${Description === '' ? '' : ` (${Description})`}`,
    `Decided by: ${deciderText(why)}`,
    ...Others.map((rule) => `Also for this name: ${ruleText(rule)}`),
    ...(Allowed ? [] : [nextStep(why)]),
  ]
  return parts.map((part) => `${visible(part)}\n`).join('')
}

function deciderText({ DecidedBy, DefaultPolicy, Resource }: WhyEntry): string {
  if (DecidedBy !== null) return ruleText(DecidedBy)
  const reason =
    Resource === 'acl'
      ? 'tokens and policies always need one'
      : `the default policy is ${DefaultPolicy}`
  return `no rule of the token; ${reason}`
}

function ruleText({ Policy, Line, Rule }: WhyRule): string {
  return `policy "${Policy}", line ${Line}: ${Rule}`
}

function nextStep({ DecidedBy, Missing }: WhyEntry): string {
  if (Missing !== '') return `To allow it, add this rule to a policy of the token: ${Missing}`
  const policy = DecidedBy === null ? '' : ` of policy "${DecidedBy.Policy}"`
  return `To allow it, change or remove the rule${policy}. No rule that you add counts more.`
}
