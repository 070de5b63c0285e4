import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { WhyEntry, WhyRule } from '../../client/acl.ts'
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
  const { Allowed, Resource, Access, Name, DecidedBy, DefaultPolicy, Others, Missing } = why
  const asked = `${Resource}:${Access}${Name === '' ? '' : ` on ${JSON.stringify(Name)}`}`
  const decided =
    DecidedBy === null
      ? `no rule of the token; the default policy is "${DefaultPolicy}"`
      : ruleText(DecidedBy)
  const parts = [
    `${Allowed ? 'Allowed' : 'Denied'}: ${asked}`,
    `Token: ${why.AccessorID}${why.Description === '' ? '' : ` (${why.Description})`}`,
    `Decided by: ${decided}`,
    ...Others.map((rule) => `Overruled or the same: ${ruleText(rule)}`),
    ...(Allowed ? [] : [nextStep(why, Missing)]),
  ]
  return parts.map((part) => `${visible(part)}\n`).join('')
}

function ruleText({ Policy, Line, Rule }: WhyRule): string {
  return `policy "${Policy}", line ${Line}: ${Rule}`
}

function nextStep({ DecidedBy, Resource }: WhyEntry, missing: string): string {
  if (missing !== '') return `To allow it, add this rule to a policy of the token: ${missing}`
  if (DecidedBy === null) return `To allow it, give the token a policy with rules for ${Resource}.`
  return `To allow it, change or remove that rule in policy "${DecidedBy.Policy}": no other rule overrules it.`
}
