// The face `mqtt-sn-gateway/codec`: datagrams of MQTT-SN 1.2 to packets and back, and in words. Pure: no sockets, no timers.

export { describeFrame, summarize } from '../codec/v1/describe.ts'
export { decode, decodeFrame, encode, encodeFrame, type Frame } from '../codec/v1/frame.ts'
export * from '../codec/v1/messages.ts'
