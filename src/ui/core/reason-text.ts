import { firstLine } from './text.ts'

/**
 * The reason of a status in one line, with what matters in front: the output of an HTTP check begins with the URL,
 * which the reader knows.
 */
export function reasonText(output: string, fallback: string): string {
  const line = firstLine(output, 240)
  if (line === '') return firstLine(fallback)
  const [, url = '', answer = '', body = ''] =
    /^HTTP [A-Z]+ (\S+): (\d{3}\b.*?)(?: Output: (.*))?$/.exec(line) ?? []
  if (answer === '') return line
  const path = /^\w+:\/\/[^/]*(\/.*)$/.exec(url)?.[1] ?? url
  return `HTTP ${answer} from ${path}${body === '' ? '' : `: ${body}`}`
}
