import { useState } from 'preact/hooks'
import { asFault } from './api.ts'
import type { ApiFault } from './api.ts'

export interface Attempt {
  readonly isBusy: boolean
  readonly fault: ApiFault | undefined
  /** Runs one change; false if it failed, for the reason in `fault`. */
  readonly run: (change: () => Promise<unknown>) => Promise<boolean>
}

/** The state of a change that the agent may refuse. */
export function useAttempt(): Attempt {
  const [isBusy, setBusy] = useState(false)
  const [fault, setFault] = useState<ApiFault>()
  const run = async (change: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true)
    setFault(undefined)
    try {
      await change()
      return true
    } catch (error) {
      setFault(asFault(error))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, fault, run }
}
