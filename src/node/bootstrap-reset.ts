import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../base/log.ts'
import { reasonOf } from '../base/errors.ts'
import type { BootstrapReset } from '../ports/bootstrap-reset.ts'

const fileName = 'acl-bootstrap-reset'

/** Consul's file in the data directory. Anyone who can write there can allow one more bootstrap. */
export function bootstrapResetFile(directory: string, logger: Logger): BootstrapReset {
  const path = join(directory, fileName)
  return {
    index() {
      try {
        const [digits] = /^\s*\d{1,15}/.exec(readFileSync(path, 'utf8')) ?? []
        return Number(digits ?? 0)
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOENT') {
          logger.error({ path, reason: reasonOf(error) }, 'cannot read the bootstrap reset file')
        }
        return 0
      }
    },
    remove() {
      try {
        rmSync(path, { force: true })
      } catch (error) {
        logger.warn({ path, reason: reasonOf(error) }, 'cannot remove the bootstrap reset file')
      }
    },
  }
}
