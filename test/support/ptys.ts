// Serial lines without hardware, which tests share with the tools for developers.

export { hasSocat, PtyPair } from '../../lab/ptys.ts'
