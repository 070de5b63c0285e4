/** OpenSSL's own account of an error, `…:error:0A00010B:SSL routines:function:reason:file:line:`. */
const account = /\berror:[0-9A-F]{8}:[^:\n]*:[^:\n]*:([^:\n]+)/i

/** The meaning of OpenSSL's reasons for people who connect programs or write a configuration. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [
    /wrong version number|packet length too long|unknown protocol|http request|record layer failure/,
    'the other side does not speak TLS',
  ],
  [
    /unsupported protocol|protocol version/,
    'the other side supports no TLS version that is allowed',
  ],
  [/no shared cipher|handshake failure/, 'the two sides have no TLS settings in common'],
  [
    /certificate required|peer did not return a certificate/,
    'a certificate is required, but none was sent',
  ],
  [/unknown ca/, 'the authority that signed the certificate is not trusted'],
  [/certificate expired/, 'the certificate has expired'],
  [/bad certificate|certificate unknown/, 'the certificate was refused'],
  [
    /no start line|bad end line|bad base64|not enough data|unsupported/,
    'it is not a PEM file of the required kind',
  ],
  [/key values mismatch/, 'the key does not belong to the certificate'],
  [/bad decrypt|bad password/, 'the key is encrypted; svcd needs a key without a passphrase'],
]

/**
 * The cause that OpenSSL gives, in words and on one line: `the other side does not speak TLS (wrong version
 * number)`. Undefined for other errors.
 */
export function tlsReason(message: string): string | undefined {
  const reason = account.exec(message)?.[1]?.replaceAll('_', ' ').trim()
  if (reason === undefined) return undefined
  const meaning = meanings.find(([pattern]) => pattern.test(reason.toLowerCase()))?.[1]
  return meaning === undefined ? `TLS: ${reason}` : `${meaning} (${reason})`
}
