/**
 * JSON with the numbers of a field as texts, because a number of JavaScript does not hold all of
 * them. Only a field is found: within a string, its quotation marks are escaped.
 */
export function withTextFlags(json: string, field: string): string {
  return json.replaceAll(new RegExp(String.raw`"(${field})"\s*:\s*(\d+)`, 'gi'), '"$1":"$2"')
}
