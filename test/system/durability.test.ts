import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

// What the kernel is asked for, by strace: an answer of 200 promises that the log was synced.

interface Call {
  readonly name: string
  /** The file or socket behind the descriptor. */
  readonly file: string
  readonly text: string
}

/** Completed calls in order; one that strace saw cut in two counts when it ended. */
function callsOf(trace: string): Call[] {
  const started = new Map<string, string>()
  const calls: Call[] = []
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (rest.endsWith('<unfinished ...>')) {
      started.set(pid, rest)
      continue
    }
    const text = rest.startsWith('<...') ? `${started.get(pid) ?? ''}${rest}` : rest
    const [, name = '', file = ''] = /^(\w+)\(\d+<([^>]*)>/.exec(text) ?? []
    if (name !== '') calls.push({ name, file, text })
  }
  return calls
}

/** strace may still be writing when the agent has gone: its last line says that it has. */
async function wholeTrace(file: string, pid: number | undefined): Promise<string> {
  for (;;) {
    const trace = readFileSync(file, 'utf8')
    if (new RegExp(`^${pid} .*exited with`, 'm').test(trace)) return trace
    await nextTurn()
  }
}

t.test(
  "a sync of the log's WAL precedes every answer of 200",
  { skip: missing('strace') },
  async (t) => {
    const directory = t.testdir()
    const file = join(directory, 'trace')
    const agent = await AgentProcess.start({
      wrapper: [
        'strace',
        // strace as the grandchild: it would not pass on the signal that stops the agent.
        '-D',
        '-f',
        '-yy',
        '-s',
        '64',
        '-o',
        file,
        '-e',
        'trace=fsync,fdatasync,write,writev,sendto,sendmsg',
      ],
      args: [
        '-server',
        `-data-dir=${join(directory, 'data')}`,
        '-node=n1',
        '-bind=127.0.0.1',
        '-log-level=warn',
      ],
    })
    const count = 20
    for (let n = 0; n < count; n++) {
      const response = await agent.put('agent/service/register', { Name: 'web', ID: `web-${n}` })
      t.equal(response.status, 200)
      await response.arrayBuffer()
    }
    await agent.stop()
    const trace = await wholeTrace(file, agent.child.pid)
    let synced = 0
    let answers = 0
    for (const { name, file: path, text } of callsOf(trace)) {
      if (/^f(data)?sync$/.test(name) && path.endsWith('raft.db-wal')) synced++
      if (!text.includes('HTTP/1.1 200')) continue
      answers++
      if (synced === 0) t.fail(`answer ${answers} left with no sync since the one before`)
      synced = 0
    }
    t.equal(answers, count, 'every answer was seen')
  },
)
