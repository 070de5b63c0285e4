import fc from 'fast-check'
import type { FamilyBody } from '../../src/state/families.ts'
import { families } from '../../src/state/families.ts'

/** Commands of one family, from test/state/<family>/any-command.ts: each family needs that file. */
export async function commandOf(family: string): Promise<fc.Arbitrary<FamilyBody>> {
  const { command } = (await import(`../state/${family}/any-command.ts`)) as {
    readonly command: fc.Arbitrary<FamilyBody>
  }
  return command
}

/** Commands of all families. */
export async function anyCommand(): Promise<fc.Arbitrary<FamilyBody>> {
  return fc.oneof(...(await Promise.all(families.map(({ name }) => commandOf(name)))))
}
