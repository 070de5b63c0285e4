import { ApiFault, send } from './api.ts'
import { toDatacenter } from '../core/route.ts'
import { datacenter, token } from './preferences.ts'

/** Downloads a snapshot and lets the browser keep it as a file. `onBytes`: how much has arrived. */
export async function downloadSnapshot(onBytes: (bytes: number) => void): Promise<string> {
  const answer = await send('snapshot')
  const index = answer.headers.get('X-Consul-Index') ?? '0'
  const chunks: BlobPart[] = []
  let bytes = 0
  const reader = answer.body?.getReader()
  for (;;) {
    const next = await reader?.read().catch(() => {
      throw new ApiFault(
        0,
        'The download broke off. The agent may have stopped. Download it again.',
      )
    })
    if (next === undefined || next.done) break
    chunks.push(next.value)
    bytes += next.value.length
    onBytes(bytes)
  }
  const name = `svcd-${index}.snap`
  keep(new Blob(chunks, { type: 'application/x-gzip' }), name)
  return name
}

function keep(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

/** Sends a snapshot to be restored. `onBytes`: how much has left. Rejects with an {@link ApiFault}. */
export function restoreSnapshot(file: Blob, onBytes: (bytes: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    // fetch() does not tell how much of a body was sent.
    const request = new XMLHttpRequest()
    request.open('PUT', toDatacenter('/v1/snapshot', datacenter))
    if (token.value !== '') request.setRequestHeader('X-Consul-Token', token.value)
    request.upload.addEventListener('progress', ({ loaded }) => onBytes(loaded))
    request.addEventListener('load', () => {
      const { status } = request
      if (status === 200) resolve()
      else
        reject(new ApiFault(status, request.responseText.trim() || `The agent answered ${status}.`))
    })
    request.addEventListener('error', () =>
      reject(new ApiFault(0, 'The agent does not answer. Is it running? Run the restore again.')),
    )
    request.send(file)
  })
}
