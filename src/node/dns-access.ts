import { Authorizer } from '../access/rules/authorizer.ts'
import type { Rights } from '../access/rights.ts'
import { everything } from '../access/rights.ts'
import { SvcdError, reasonOf } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Tokens } from '../ports/tokens.ts'
import type { DnsService } from '../resolver/service.ts'

export interface DnsAccess {
  readonly tokens: Tokens
  /** The token of DNS as configured now; undefined: the default token of the agent counts, or the anonymous token. */
  readonly secret: () => string | undefined
  readonly dns: Pick<DnsService, 'setRights'>
  readonly logger: Logger
}

/**
 * Limits what DNS shows to what its token may read, now and after each change. `last` is what DNS may show so far.
 * Resolves when the limit is in force, with a function that ends this.
 */
export async function followDnsRights(access: DnsAccess, last: Rights): Promise<() => void> {
  const { tokens, dns, logger } = access
  const look = async (): Promise<void> => {
    const rights = dnsRights(access)
    if (rights === last) return
    last = rights
    await dns.setRights(rights)
  }
  await look()
  return tokens.onChange(() => {
    look().catch((error: unknown) => {
      logger.error({ reason: reasonOf(error) }, 'DNS could not take the rights of its token')
    })
  })
}

/** With an unknown token, DNS shows nothing. */
const nothing = new Authorizer([], 'deny')

/** What DNS may show now. */
export function dnsRights({ tokens, secret, logger }: Omit<DnsAccess, 'dns'>): Rights {
  if (!tokens.isEnabled) return everything
  try {
    return tokens.requester(secret()).caller.rights
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    logger.warn({}, 'the token of DNS does not exist or has expired: DNS answers nothing')
    return nothing
  }
}
