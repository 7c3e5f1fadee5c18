// The terms of the console, explained for readers without the specification. Pure.

/** Terms and figures on the pages. */
export const TERMS = {
  sensor: 'A small device that speaks MQTT-SN over UDP. The specification calls it client.',
  broker: 'The MQTT server behind the gateway. Each sensor has a connection of its own to it.',
  listener: 'An address and port where the gateway hears sensors.',
  will: 'A message that the broker publishes for the sensor when it is lost.',
  topic: 'What a message is about, such as "hall/temperature". On the radio a number stands for the name.',
  predefined: 'A topic number that sensor and gateway know beforehand, so that nothing has to be agreed.',
  qos: 'How sure delivery is. -1: without a connection. 0: at most once. 1: at least once. 2: exactly once.',
  retain: 'The broker keeps the last message of the topic for those who subscribe later.',
  keepAlive:
    'The sensor promises to be heard at least this often. If it stays silent for longer, it is lost.',
  cleanSession:
    'A clean session is forgotten when it ends. Otherwise subscriptions and waiting messages stay.',
  queue: 'Messages that wait for the sensor: it sleeps, is away, or has not acknowledged an earlier one.',
  datagrams: 'Packets on the network of the sensors, of all kinds, per second.',
  published: 'Application messages of sensors that went to the broker, per second.',
  delivered: 'Application messages from the broker that were sent to sensors, per second.',
  dropped: 'What the gateway discarded, per second. The page "Drops" tells why.',
  changes: 'How often sensors went from one state to another, per second.',
  retransmissions: 'Messages that the gateway sent once more because no answer came in time.',
  faults: 'Errors inside the gateway. Each one is a bug: please report it with the log.',
  kernelDrops: 'Datagrams that the operating system discarded because the receive buffer was full.',
  receiveBuffer:
    'How much the operating system holds for the gateway until it is read. Small buffers lose bursts.',
  sendErrors: 'Datagrams that the operating system refused to send.',
  connected: 'Sensors whose connection to the broker stands.',
  connecting: 'Connections to the broker that are being opened right now.',
  waiting: 'Connections that wait for their turn, so that a broker that comes back is not overrun.',
  refused: 'Connections that the broker refused since the start, such as for a wrong password.',
  lostConnections: 'Connections to the broker that broke since the start.',
  repeated: 'It was sent before: the first time was lost, or its answer was.',
  confirmed: 'Whether the sensor knows this number in its present connection.',
  identity: 'Who it has proved to be, by the key or the certificate of its own that DTLS asks for.',
  secureSession:
    'Its DTLS session. It outlives sleep and changes of its address; once it is over the sensor needs a handshake.',
  suite: 'How its records are encrypted, and how both sides came to the keys.',
  connectionId:
    'Whether its records carry an id, so that it may wake up at another address without a handshake [RFC 9146].',
  secureRecords:
    'Messages that came encrypted, and records that were sent, since the session was opened or the gateway started.',
  outstanding: 'What the gateway sent and the sensor has not answered yet.',
}
