// The error that says why something cannot be measured on this machine; it is not a failure of the gateway.

export class NotHere extends Error {}
