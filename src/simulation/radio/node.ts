// A simulated radio at a sensor: what the sensor sends goes to the modem at the gateway, through the air. Pure.

/** What a modem at the gateway does for the radios of its network. */
export interface RadioModem {
  /** a radio sends to the gateway, or to all */
  fromNode(node: RadioNode, message: Uint8Array, isBroadcast: boolean): void
}

/** Fits where a Sensor wants its transport. */
export class RadioNode {
  readonly address: string
  /** it can be reached, and hears */
  isReachable = true
  /** of a network that gives short addresses, which may change */
  short: number
  onReceive: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  readonly #modem: RadioModem

  constructor(modem: RadioModem, address: string, short: number) {
    this.#modem = modem
    this.address = address
    this.short = short
  }

  send(bytes: Uint8Array): void {
    if (this.isReachable) this.#modem.fromNode(this, bytes, false)
  }

  /** To all, such as SEARCHGW. */
  broadcast(bytes: Uint8Array): void {
    if (this.isReachable) this.#modem.fromNode(this, bytes, true)
  }

  /** The modem has something for it. */
  hear(bytes: Uint8Array): void {
    if (this.isReachable) this.onReceive(bytes.slice())
  }

  close(): void {
    this.isReachable = false
  }
}
