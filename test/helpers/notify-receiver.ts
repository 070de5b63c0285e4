import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from './until.ts'

/** One message to the service manager, as the kernel hands it over. */
export interface Notification {
  /** The process that sent it. */
  readonly pid: number
  readonly lines: readonly string[]
}

/** Node.js has no Unix datagram sockets, so Python reads them; `@` marks an abstract name. */
const program = `
import json, socket, struct, sys
name = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\\0" + name[1:] if name[0] == "@" else name)
print("bound", flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(65536, 1024)
    pid = struct.unpack("3i", ancillary[0][2][:12])[0]
    print(json.dumps({"pid": pid, "lines": data.decode().splitlines()}), flush=True)
`

/** Stands for systemd at the other end of NOTIFY_SOCKET. */
export class NotifyReceiver {
  readonly socket: string
  readonly received: Notification[] = []
  readonly #child: ChildProcess
  readonly #directory: string

  private constructor(socket: string, child: ChildProcess, directory: string) {
    this.socket = socket
    this.#child = child
    this.#directory = directory
  }

  /** On an abstract name, or on a path of its own, which a test's directory is too long for. Needs python3. */
  static async start(abstract?: string): Promise<NotifyReceiver> {
    const directory = mkdtempSync(join(tmpdir(), 'svcd-notify-'))
    const socket = abstract ?? join(directory, 'socket')
    const child = spawn('python3', ['-c', program, socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const receiver = new NotifyReceiver(socket, child, directory)
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    lines.on('line', (line) => receiver.received.push(JSON.parse(line) as Notification))
    return receiver
  }

  /** The lines of all messages, in order, without those that begin with one of `left`. */
  linesWithout(...left: readonly string[]): readonly string[] {
    const lines = this.received.flatMap((message) => message.lines)
    return lines.filter((line) => !left.some((start) => line.startsWith(start)))
  }

  /** Resolves when a message from the `from`th on has a line that begins with `start`. */
  async until(start: string, from = 0): Promise<void> {
    await until(`a message ${start}`, 30_000, () =>
      this.received.slice(from).some(({ lines }) => lines.some((line) => line.startsWith(start))),
    )
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
    rmSync(this.#directory, { recursive: true })
  }
}
