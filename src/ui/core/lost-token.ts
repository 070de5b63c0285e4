/** Whether a refusal says that the token of the request does not exist, and not that it lacks a right. */
export function isLostToken(text: string): boolean {
  return text.startsWith('ACL not found: the token of this request')
}
