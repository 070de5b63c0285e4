import fc from 'fast-check'
import type { DnsCookieCommand } from '../../../src/state/dns-cookie/commands.ts'

const secret = fc.constantFrom('00'.repeat(16), '5e'.repeat(16), 'f0'.repeat(16))

export const command: fc.Arbitrary<DnsCookieCommand> = fc.oneof(
  fc
    .record({ secret, sinceMs: fc.constantFrom(0, 1000) })
    .map((fields): DnsCookieCommand => ({ kind: 'dns-cookie-rotate', ...fields })),
  fc
    .record({
      secret,
      previous: fc.oneof(fc.constant(''), secret),
      rotatedMs: fc.constantFrom(1000, 2000),
    })
    .map((fields): DnsCookieCommand => ({ kind: 'dns-cookie-set', ...fields })),
  fc.constant<DnsCookieCommand>({ kind: 'dns-cookie-reset' }),
)
