/** Rows of the error table: requests to DNS over HTTPS that are refused (RFC 8484 §4.2.1). */
export const dohErrors = {
  'doh-path': {
    http: 404,
    exit: 1,
    text: 'DNS over HTTPS has only the path /dns-query. Send the query there.',
  },
  'doh-method': {
    http: 405,
    exit: 1,
    text: 'DNS over HTTPS does not support {method}. Send the query with GET or POST.',
  },
  'doh-media-type': {
    http: 415,
    exit: 1,
    text: 'The body of a query must have the media type application/dns-message. Set the Content-Type header to it.',
  },
  'doh-query': {
    http: 400,
    exit: 1,
    text: 'The request contains no DNS query. Send one as the body of a POST request, or of a GET request in the parameter dns, in base64url without padding.',
  },
  'doh-too-large': {
    http: 413,
    exit: 1,
    text: 'The DNS query is longer than {max} bytes. Send a shorter one.',
  },
  'doh-waiting': {
    http: 429,
    exit: 1,
    text: '{max} queries of this connection wait for upstream servers. Send this one again after some are answered.',
  },
} as const
