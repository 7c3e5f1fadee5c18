// Scandium, the implementation of Eclipse Californium in Java, where a JDK and its jars are.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { folder, runs } from './program.ts'

const repository = process.env['MAVEN_REPOSITORY'] ?? join(homedir(), '.m2', 'repository')

const pom = readFileSync(new URL('scandium/pom.xml', import.meta.url), 'utf8')
const californium = /<artifactId>scandium<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1] ?? ''

/** The jar of an artifact that is in Maven's folder: of this version, or the newest. */
function jarOf(group: string, artifact: string, wanted?: string): string | undefined {
  const place = join(repository, ...group.split('.'), artifact)
  if (!existsSync(place)) return undefined
  const versions = wanted === undefined ? readdirSync(place) : [wanted]
  const jars = versions.map((version) => join(place, version, `${artifact}-${version}.jar`))
  return jars.filter((jar) => existsSync(jar)).at(-1)
}

/**
 * How Java runs the program; undefined where it cannot be built without the network. `mvn dependency:resolve` in its folder fetches
 * what it needs.
 */
export const scandium = ((): readonly string[] | undefined => {
  const jars = [
    jarOf('org.eclipse.californium', 'scandium', californium),
    jarOf('org.eclipse.californium', 'element-connector', californium),
    jarOf('org.slf4j', 'slf4j-api'),
  ]
  const classpath = [folder, ...jars].join(':')
  const source = new URL('scandium/Scandium.java', import.meta.url).pathname
  if (jars.includes(undefined) || !runs('javac', '-d', folder, '-cp', classpath, source)) return undefined
  // few threads and little compiling: it lives for a moment
  return ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classpath, 'Scandium']
})()
