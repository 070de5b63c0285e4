import { readFile } from 'node:fs/promises'
import { buffer, text } from 'node:stream/consumers'
import { run } from './run.ts'
import { terminalOf } from './terminal.ts'

// A reader that closes the pipe early (`svcd services | head -1`) is not an error. An agent keeps running
// without a reader of its log.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.argv[2] !== 'agent') process.exit(error.code === 'EPIPE' ? 0 : 1)
})

process.exitCode = await run(process.argv.slice(2), {
  out: (chunk) => void process.stdout.write(chunk),
  outBytes: (bytes) => void process.stdout.write(bytes),
  err: (chunk) => void process.stderr.write(chunk),
  terminal: terminalOf(process.stdout, process.env),
  drawn: process.stderr.isTTY ? (text) => void process.stderr.write(text) : undefined,
  onInterrupt: (stop) => {
    process.once('SIGINT', () => stop('SIGINT'))
    process.once('SIGTERM', () => stop('SIGTERM'))
  },
  onSignal: (receive) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
      process.on(signal, receive)
    }
  },
  env: process.env,
  readText: async (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  readBytes: async (path) => (path === '-' ? buffer(process.stdin) : readFile(path)),
})
