import { write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A pipe that does not wait says "again" while it is full. */
const againMs = 10

/**
 * Writes to standard output without blocking the event loop, which `process.stdout` does for pipes and files.
 * Resolves when all of it is written; one call after the other.
 */
export async function writeToOutput(text: string): Promise<void> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += await writeSome(bytes, at)
}

async function writeSome(bytes: Buffer, at: number): Promise<number> {
  const written = await new Promise<number>((resolve, reject) => {
    write(1, bytes, at, bytes.length - at, null, (error, count) => {
      if (error === null) resolve(count)
      else if (error.code === 'EAGAIN') resolve(0)
      else reject(error)
    })
  })
  if (written === 0) await sleep(againMs)
  return written
}
