import type { Worker } from 'node:worker_threads'

/** Resolves with what `answerIn` finds in a message of the thread after `ask`; undefined: the thread has ended. */
export function askThread<Answer>(
  worker: Worker,
  ask: () => void,
  answerIn: (message: unknown) => Answer | undefined,
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const onMessage = (message: unknown): void => {
      const answer = answerIn(message)
      if (answer !== undefined) done(answer)
    }
    const onExit = (): void => done(undefined)
    const done = (answer: Answer | undefined): void => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(answer)
    }
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    ask()
  })
}
