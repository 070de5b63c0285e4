import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file for each port, with the process that took it: other test files run at the same time. */
const taken = join(tmpdir(), 'svcd-test-ports')
const own: string[] = []
process.once('exit', () => {
  for (const file of own) rmSync(file, { force: true })
})

/**
 * Ports that nobody listens on, below those that the kernel gives to outgoing connections: a server
 * that is killed and started again must find its own free. They are this process's until it ends.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 22_000)
    if (take(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function take(port: number): boolean {
  const file = join(taken, `${port}`)
  mkdirSync(taken, { recursive: true })
  try {
    writeFileSync(file, `${process.pid}`, { flag: 'wx' })
    own.push(file)
    return true
  } catch {
    if (!isRunning(ownerOf(file))) rmSync(file, { force: true })
    return false
  }
}

function ownerOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return Number.NaN
  }
}

function isRunning(pid: number): boolean {
  // It has taken the port, and not written its number yet.
  if (!(pid > 0)) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
