// The pages of the console, by the part of their address behind "#/".

export const PAGES = [
  '',
  'sensors',
  'sensor/meter-0000',
  'topics',
  'events',
  'drops',
  'dead-letters',
  'messages',
  'connections',
  'cluster',
  'config',
  'words',
]
