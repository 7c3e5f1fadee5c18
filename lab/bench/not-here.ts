// Why something cannot be measured on this machine, which is no failure of the gateway.

export class NotHere extends Error {}
