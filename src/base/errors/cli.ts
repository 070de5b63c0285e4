/** Rows of the error table: what commands fail with. */
export const cliErrors = {
  'agent-unreachable': {
    http: 500,
    exit: 2,
    text: 'No agent answers at {address} ({reason}). Start one with `svcd agent -dev`, or set another address with -http-addr or SVCD_HTTP_ADDR.',
  },
  'agent-refused': {
    http: 500,
    exit: 1,
    // `{agent}` names the agent where the fault is its own, and is empty where the request is wrong.
    text: '{agent}{reason}',
  },
  'agent-is-dns': {
    http: 500,
    exit: 2,
    text: 'A DNS server answers at {address}, not the HTTP API of an agent. The HTTP port is 8500 by default: try -http-addr {host}:8500.',
  },
  'agent-is-https': {
    http: 500,
    exit: 2,
    text: 'The server at {address} expects HTTPS. Use https:// in -http-addr or SVCD_HTTP_ADDR.',
  },
  'agent-is-http': {
    http: 500,
    exit: 2,
    text: 'The server at {address} speaks HTTP without TLS. Use http:// in -http-addr or SVCD_HTTP_ADDR.',
  },
  'agent-untrusted': {
    http: 500,
    exit: 2,
    text: 'The certificate of {address} is not trusted ({reason}). Set -ca-file or SVCD_CACERT to a PEM file with the certificate authority that signed it.',
  },
  'file-exists': {
    http: 409,
    exit: 1,
    text: 'The file "{path}" exists, and svcd does not overwrite certificates and keys. Move it away, or run the command in another directory.',
  },
  'authority-unusable': {
    http: 400,
    exit: 1,
    text: 'The certificate authority cannot be used: {reason}. Create one with `svcd tls ca create`, or name its files with -ca and -key.',
  },
  'agent-silent': {
    http: 500,
    exit: 2,
    text: 'A program accepts connections at {address}, but it does not answer HTTP requests{what}. The HTTP port of an agent is 8500 by default. If the port is correct, check the log of the agent.',
  },
  'not-an-agent': {
    http: 500,
    exit: 2,
    text: 'An HTTP server answers at {address}, but it is not an agent ({reason}). The HTTP port of an agent is 8500 by default; set it with -http-addr or SVCD_HTTP_ADDR.',
  },
  'dns-unreachable': {
    http: 500,
    exit: 2,
    text: 'No DNS server answers at {address} ({reason}). Start an agent with `svcd agent -dev`, or set another address with -dns-addr or SVCD_DNS_ADDR.',
  },
  'definitions-invalid': {
    http: 400,
    exit: 1,
    text: '{count} definitions are invalid, and nothing was changed:\n{list}',
  },
  'registration-undone': {
    http: 500,
    exit: 1,
    text: 'Service "{id}" was not registered: {reason} {undone}',
  },
  'deregistration-incomplete': {
    http: 500,
    exit: 1,
    text: '{failed} of {count} were not removed.',
  },
  'reload-incomplete': {
    http: 500,
    exit: 1,
    text: 'The agent did not accept everything: {leftOut} skipped, {heldBack} kept. Fix the files named above, then reload again.',
  },
  'dns-is-http': {
    http: 500,
    exit: 2,
    text: 'An HTTP server answers at {address}, not a DNS server. The DNS port of an agent is 8600 by default: try -dns-addr {host}:8600.',
  },
  'no-ttl-check': {
    http: 404,
    exit: 1,
    text: 'This agent has no TTL check "{id}". {hint}',
  },
  'doctor-found': {
    http: 500,
    exit: 1,
    text: '{count} found; see the advice above.',
  },
  'no-such-service': {
    http: 404,
    exit: 1,
    text: '{what}. `svcd services` lists all services.',
  },
  'no-such-member': {
    http: 404,
    exit: 2,
    text: 'No server of the cluster matches {what}. `svcd members` lists all servers.',
  },
  'file-unwritable': {
    http: 500,
    exit: 1,
    text: 'Cannot write the file {path}: {reason}. Check its directory, or choose another file.',
  },
  'no-such-name': {
    http: 404,
    exit: 1,
    text: 'No {types} record for {name}: {rcode} from {address}.{hint}',
  },
  usage: { http: 400, exit: 1, text: '{reason}' },
} as const
