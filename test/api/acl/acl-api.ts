import type { Test } from 'tap'
import type { HttpApiOptions } from '../../../src/api/http-api.ts'
import { anonymous } from '../../../src/access/caller.ts'
import { silentLogger } from '../../../src/base/log.ts'
import type { Tokens } from '../../../src/ports/tokens.ts'
import { aclFamily } from '../../../src/state/acl/family.ts'
import { TokenBook } from '../../../src/tokens/token-book.ts'
import { TestApi } from '../support.ts'

/** The API with access control on, and a clock that the test sets. */
export class AclApi {
  readonly api: TestApi
  nowMs = Date.parse('2030-01-31T12:00:00Z')
  resetIndex = 0

  constructor(t: Test, options: HttpApiOptions = {}) {
    let book: TokenBook | undefined
    const tokens: Tokens = {
      isEnabled: true,
      defaultPolicy: 'deny',
      // Tests that send no token are about tokens, not about rights.
      requester: (secret) => {
        const requester = (book as TokenBook).requester(secret)
        return secret === undefined ? { ...requester, caller: anonymous } : requester
      },
      isSecret: (text) => (book as TokenBook).isSecret(text),
      onChange: () => () => {},
    }
    this.api = new TestApi(t, {
      tokens,
      explanations: {
        explain: (...question) => (book as TokenBook).explain(...question),
        rulesOf: (accessorId) => (book as TokenBook).rulesOf(accessorId),
      },
      wallMs: () => this.nowMs,
      bootstrapReset: { index: () => this.resetIndex, remove: () => (this.resetIndex = 0) },
      ...options,
    })
    book = new TokenBook(
      { isEnabled: true, defaultPolicy: 'deny', defaultSecret: undefined },
      {
        state: this.api.backend.of(aclFamily),
        datacenter: 'dc1',
        nodeName: 'n1',
        clock: { wallMs: () => this.nowMs },
        logger: silentLogger,
      },
    )
  }

  /** The JSON of an answer with status 200, otherwise the status and the text. */
  async ask(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown, secret = '') {
    const headers = secret === '' ? {} : { 'x-consul-token': secret }
    const reply = await this.api.ask(method, `/v1/acl/${path}`, body, headers)
    if (reply.status !== 200) return `${reply.status} ${reply.body}`
    return JSON.parse(reply.body) as Json
  }
}

// What the tests look at.
type Json = Readonly<Record<string, string>> & { readonly length?: number }
