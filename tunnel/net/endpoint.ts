/** An IPv4 address and a UDP or TCP port: where a datagram or a connection goes to or comes from. */
export interface Endpoint {
  readonly address: string
  /** 1 to 65535. */
  readonly port: number
}

/** `address:port`, the form used in messages, logs and as a map key. */
export const formatEndpoint = ({ address, port }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

export const sameEndpoint = (a: Endpoint, b: Endpoint): boolean =>
  a.port === b.port && a.address === b.address
