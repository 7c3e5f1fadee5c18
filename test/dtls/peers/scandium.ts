// Scandium, the implementation of Eclipse Californium in Java, where a JDK and its jars are.

import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { folder, runs } from './program.ts'

const repository = process.env['MAVEN_REPOSITORY'] ?? join(homedir(), '.m2', 'repository')

/** The newest jar of an artifact that is in Maven's folder. */
function jarOf(group: string, artifact: string): string | undefined {
  const place = join(repository, ...group.split('.'), artifact)
  if (!existsSync(place)) return undefined
  const jars = readdirSync(place).map((version) => join(place, version, `${artifact}-${version}.jar`))
  return jars.filter((jar) => existsSync(jar)).at(-1)
}

/**
 * How Java runs the program; undefined where it cannot be built without the network. `mvn dependency:resolve` in its folder fetches
 * what it needs.
 */
export const scandium = ((): readonly string[] | undefined => {
  const jars = [
    jarOf('org.eclipse.californium', 'scandium'),
    jarOf('org.eclipse.californium', 'element-connector'),
    jarOf('org.slf4j', 'slf4j-api'),
  ]
  const classpath = [folder, ...jars].join(':')
  const source = new URL('scandium/Scandium.java', import.meta.url).pathname
  if (jars.includes(undefined) || !runs('javac', '-d', folder, '-cp', classpath, source)) return undefined
  // few threads and little compiling: it lives for a moment
  return ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classpath, 'Scandium']
})()
