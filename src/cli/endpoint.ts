export interface Endpoint {
  readonly address: string
  readonly port: number
}

export function hostPort({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
